import type { TableColumns } from "../columnKinds.ts";

/** Settings and lists, the same for all patients. */
export const settingsTables = {
  automatic_notification: {
    names: "provider_name",
    email: "email_sender",
    freeText: "message email_subject",
    none: "notification_id sms_gateway_type type",
  },
  background_services: {
    dates: "next_run lock_expires_at",
    none: "name title active running execute_interval function require_once sort_order",
  },
  calendar_external: {
    dates: "date",
    none: "id description source",
  },
  categories: {
    ids: { "document category": "id parent" },
    none: "name value lft rght aco_spec codes",
  },
  categories_seq: {
    none: "id",
  },
  ccda_components: {
    none: "ccda_components_id ccda_components_field ccda_components_name ccda_type",
  },
  ccda_field_mapping: {
    none: "id table_id ccda_field",
  },
  ccda_sections: {
    none: `
      ccda_sections_id ccda_components_id ccda_sections_field ccda_sections_name ccda_sections_req_mapping
    `,
  },
  ccda_table_mapping: {
    ids: { user: "user_id" },
    dates: "timestamp",
    none: "id ccda_component ccda_component_section form_dir form_type form_table deleted",
  },
  clinical_plans: {
    ids: { patient: "pid" },
    none: "id normal_flag cqm_flag cqm_2011_flag cqm_2014_flag cqm_measure_group",
  },
  clinical_plans_rules: {
    none: "plan_id rule_id",
  },
  clinical_rules: {
    ids: { patient: "pid" },
    none: `
      id active_alert_flag passive_alert_flag cqm_flag cqm_2011_flag cqm_2014_flag cqm_nqf_code cqm_pqri_code
      amc_flag amc_2011_flag amc_2014_flag amc_2015_flag amc_code amc_code_2014 amc_code_2015 amc_2014_stage1_flag
      amc_2014_stage2_flag patient_reminder_flag bibliographic_citation developer funding_source release_version
      web_reference linked_referential_cds access_control patient_dob_usage patient_ethnicity_usage
      patient_health_status_usage patient_gender_identity_usage patient_language_usage patient_race_usage
      patient_sex_usage patient_sexual_orientation_usage patient_sodh_usage
    `,
  },
  customlists: {
    ids: { user: "cl_creator" },
    freeText: "cl_list_item_long",
    none: `
      cl_list_slno cl_list_id cl_list_item_id cl_list_type cl_list_item_short cl_list_item_level cl_order
      cl_deleted
    `,
  },
  dashboard_context_assignments: {
    ids: { user: "user_id assigned_by" },
    dates: "assigned_at",
    none: "id context_id context_key is_locked is_active notes",
  },
  dashboard_context_definitions: {
    ids: { user: "user_id" },
    dates: "created_at updated_at",
    none: "id context_key context_name description widget_config is_global sort_order",
  },
  dashboard_context_role_defaults: {
    ids: { user: "created_by updated_by" },
    dates: "created_at updated_at",
    none: "id role_type context_key",
  },
  document_template_profiles: {
    ids: { "document template": "template_id", user: "provider" },
    dates: "modified_date",
    none: `
      id profile template_name category member_of active recurring event_trigger period notify_trigger
      notify_period
    `,
  },
  documents_legal_categories: {
    none: "dlc_id dlc_category_type dlc_category_name dlc_category_parent",
  },
  drug_inventory: {
    ids: { "drug lot": "inventory_id", drug: "drug_id", user: "vendor_id" },
    names: "destroy_witness",
    dates: "expiration last_notify destroy_date",
    freeText: "destroy_notes",
    none: "lot_number manufacturer on_hand warehouse_id destroy_method",
  },
  drug_templates: {
    ids: { drug: "drug_id" },
    none: "selector dosage period quantity refills taxrates pkgqty",
  },
  drugs: {
    ids: { drug: "drug_id", uuid: "uuid" },
    dates: "last_notify date_created last_updated",
    none: `
      name ndc_number on_order reorder_point max_level reactions form size unit route substitute related_code
      cyp_factor active allow_combining allow_multiple drug_code consumable dispensable
    `,
  },
  dsi_source_attributes: {
    ids: { user: "created_by last_updated_by" },
    dates: "created_at last_updated_at",
    otherUnique: "client_id",
    none: "id list_id option_id clinical_rule_id source_value",
  },
  edi_sequences: {
    none: "id",
  },
  enc_category_map: {
    none: "rule_enc_id main_cat_id",
  },
  fee_schedule: {
    ids: { insurer: "insurance_company_id" },
    dates: "effective_date",
    none: "id plan code modifier type fee",
  },
  fee_sheet_options: {
    none: "fs_category fs_option fs_codes",
  },
  gacl_acl: {
    none: "id section_value allow enabled return_value note updated_date",
  },
  gacl_acl_sections: {
    none: "id value order_value name hidden",
  },
  gacl_acl_seq: {
    none: "id",
  },
  gacl_aco: {
    none: "id section_value value order_value name hidden",
  },
  gacl_aco_map: {
    none: "acl_id section_value value",
  },
  gacl_aco_sections: {
    none: "id value order_value name hidden",
  },
  gacl_aco_sections_seq: {
    none: "id",
  },
  gacl_aco_seq: {
    none: "id",
  },
  gacl_aro: {
    ids: { login: "value" },
    names: "name",
    none: "id section_value order_value hidden",
  },
  gacl_aro_groups: {
    none: "id parent_id lft rgt name value",
  },
  gacl_aro_groups_id_seq: {
    none: "id",
  },
  gacl_aro_groups_map: {
    none: "acl_id group_id",
  },
  gacl_aro_map: {
    ids: { login: "value" },
    none: "acl_id section_value",
  },
  gacl_aro_sections: {
    none: "id value order_value name hidden",
  },
  gacl_aro_sections_seq: {
    none: "id",
  },
  gacl_aro_seq: {
    none: "id",
  },
  gacl_axo: {
    none: "id section_value value order_value name hidden",
  },
  gacl_axo_groups: {
    none: "id parent_id lft rgt name value",
  },
  gacl_axo_groups_map: {
    none: "acl_id group_id",
  },
  gacl_axo_map: {
    none: "acl_id section_value value",
  },
  gacl_axo_sections: {
    none: "id value order_value name hidden",
  },
  gacl_groups_aro_map: {
    none: "group_id aro_id",
  },
  gacl_groups_axo_map: {
    none: "group_id axo_id",
  },
  gacl_phpgacl: {
    none: "name value",
  },
  groups: {
    ids: { login: "user" },
    none: "id name",
  },
  issue_types: {
    none: "active category type plural singular abbreviation style force_show ordering aco_spec",
  },
  layout_group_properties: {
    dates: "grp_last_update",
    none: `
      grp_form_id grp_group_id grp_title grp_subtitle grp_mapping grp_seq grp_activity grp_repeats grp_columns
      grp_size grp_issue_type grp_aco_spec grp_save_close grp_init_open grp_referrals grp_unchecked grp_services
      grp_products grp_diags
    `,
  },
  layout_options: {
    none: `
      form_id field_id group_id title seq data_type uor fld_length max_length list_id titlecols datacols
      default_value edit_options description fld_rows list_backup_id source conditions validation codes
    `,
  },
  list_options: {
    dates: "timestamp last_updated",
    none: `
      list_id option_id title seq is_default option_value mapping notes codes toggle_setting_1 toggle_setting_2
      activity subtype edit_options
    `,
  },
  medex_icons: {
    none: "i_UID msg_type msg_status i_description i_html i_blob",
  },
  medex_prefs: {
    dates: "MedEx_lastupdated",
    otherUnique: "ME_username",
    freeText: "postcard_top status",
    none: `
      MedEx_id ME_facilities ME_providers ME_hipaa_default_override PHONE_country_code MSGS_default_yes
      POSTCARDS_local POSTCARDS_remote LABELS_local LABELS_choice combine_time
    `,
  },
  migrations: {
    dates: "executed_at",
    none: "version execution_duration_ms",
  },
  module_acl_group_settings: {
    none: "module_id group_id section_id allowed",
  },
  module_acl_sections: {
    none: "section_id section_name parent_section section_identifier module_id",
  },
  module_acl_user_settings: {
    ids: { user: "user_id" },
    none: "module_id section_id allowed",
  },
  module_configuration: {
    ids: { user: "created_by updated_by" },
    dates: "date_added date_modified date_created",
    none: "module_config_id module_id field_name",
  },
  modules: {
    dates: "date",
    none: `
      mod_id mod_name mod_directory mod_parent mod_type mod_active mod_ui_name mod_relative_link mod_ui_order
      mod_ui_active mod_description mod_nick_name mod_enc_menu permissions_item_table directory sql_run type
      sql_version acl_version
    `,
  },
  modules_hooks_settings: {
    none: "id mod_id enabled_hooks attached_to",
  },
  modules_settings: {
    none: "mod_id fld_type obj_name menu_name path",
  },
  notification_settings: {
    otherUnique: "SMS_gateway_username",
    none: "SettingsId Send_SMS_Before_Hours Send_Email_Before_Hours type",
  },
  openemr_module_vars: {
    none: "pn_id pn_modname pn_name",
  },
  openemr_modules: {
    none: `
      pn_id pn_name pn_type pn_displayname pn_description pn_regid pn_directory pn_version pn_admin_capable
      pn_user_capable pn_state
    `,
  },
  openemr_postcalendar_categories: {
    dates: "pc_enddate pc_last_updated",
    none: `
      pc_catid pc_constant_id pc_catname pc_catcolor pc_catdesc pc_recurrtype pc_recurrspec pc_recurrfreq
      pc_duration pc_end_date_flag pc_end_date_type pc_end_date_freq pc_end_all_day pc_dailylimit pc_cattype
      pc_active pc_seq aco_spec
    `,
  },
  patient_filter_event_hook: {
    none: "id name route description",
  },
  patient_portal_menu: {
    none: "patient_portal_menu_id patient_portal_menu_group_id menu_name menu_order menu_status",
  },
  payment_gateway_details: {
    none: "id service_name",
  },
  prices: {
    none: "pr_id pr_selector pr_level pr_price",
  },
  procedure_questions: {
    ids: { lab: "lab_id" },
    none: "procedure_code question_code seq question_text required maxsize fldtype options tips activity",
  },
  procedure_type: {
    ids: { lab: "lab_id" },
    none: `
      procedure_type_id parent name procedure_code procedure_type body_site specimen route_admin laterality
      description standard_code related_code units range seq activity notes transport procedure_type_name
    `,
  },
  product_registration: {
    ids: { user: "auth_by_id" },
    dates: "last_ask_date",
    email: "email",
    freeText: "options",
    none: "id opt_out telemetry_disabled last_ask_version",
  },
  product_warehouse: {
    ids: { drug: "pw_drug_id" },
    none: "pw_warehouse pw_min_level pw_max_level",
  },
  questionnaire_repository: {
    ids: { questionnaire: "id", uuid: "uuid", user: "provider" },
    dates: "created_date modified_date",
    none: `
      questionnaire_id version name type profile active status source_url code code_display questionnaire lform
      category
    `,
  },
  registry: {
    dates: "date",
    none: `
      name state directory id sql_run unpackaged priority category nickname patient_encounter
      therapy_group_encounter aco_spec form_foreign_id
    `,
  },
  rule_action: {
    none: "id group_id category item",
  },
  rule_action_item: {
    none: "category item clin_rem_link reminder_message custom_flag",
  },
  rule_filter: {
    none: "id include_flag required_flag method method_detail value",
  },
  rule_reminder: {
    none: "id method method_detail value",
  },
  rule_target: {
    none: "id group_id include_flag required_flag method value interval",
  },
  sequences: {
    none: "id",
  },
  template_users: {
    ids: { user: "tu_user_id", facility: "tu_facility_id" },
    none: "tu_id tu_template_id tu_template_order",
  },
  track_events: {
    dates: "first_event last_event",
    url: "event_url",
    freeText: "event_target",
    none: "id event_type event_label label_count",
  },
  user_dashboard_context: {
    ids: { user: "user_id" },
    dates: "created_at updated_at",
    none: "id active_context",
  },
  user_dashboard_context_config: {
    ids: { user: "user_id" },
    dates: "created_at updated_at",
    none: "id context_key widget_config",
  },
  user_settings: {
    ids: { user: "setting_user" },
    none: "setting_label",
  },
  version: {
    none: "v_major v_minor v_patch v_realpatch v_tag v_database v_acl",
  },
} as const satisfies Readonly<Record<string, TableColumns>>;
