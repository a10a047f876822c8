import type { TableColumns } from "../columnKinds.ts";

/** Tables about patients, without the forms of encounters. */
export const patientTables = {
  amc_misc_data: {
    ids: { patient: "pid" },
    dates: "date_created date_completed soc_provided",
    otherUnique: "map_id",
    none: "amc_id map_category",
  },
  amendments: {
    ids: { amendment: "amendment_id", patient: "pid", user: "created_by modified_by" },
    names: "amendment_by",
    dates: "amendment_date created_time modified_time",
    freeText: "amendment_desc",
    none: "amendment_status",
  },
  amendments_history: {
    ids: { amendment: "amendment_id", user: "created_by" },
    dates: "created_time",
    freeText: "amendment_note",
    none: "amendment_status",
  },
  ar_activity: {
    ids: { patient: "pid", encounter: "encounter", user: "post_user", "payment session": "session_id" },
    dates: "post_time modified_time deleted post_date",
    account: "payer_claim_number",
    freeText: "memo follow_up_note",
    none: `
      sequence_no code_type code modifier payer_type pay_amount adj_amount follow_up account_code reason_code
    `,
  },
  ar_session: {
    ids: { "payment session": "session_id", insurer: "payer_id", user: "user_id", patient: "patient_id" },
    dates: "check_date deposit_date created_time modified_time post_to_date",
    account: "reference",
    freeText: "description",
    none: "closed pay_total global_amount payment_type adjustment_code payment_method",
  },
  benefit_eligibility: {
    ids: { "eligibility check": "verification_id" },
    dates: "start_date end_date response_create_date response_modify_date",
    otherUnique: "response_id",
    freeText: "plan_description message",
    none: `
      type benefit_type coverage_level coverage_type plan_type coverage_period amount percent network_ind
      response_status
    `,
  },
  billing: {
    ids: {
      own: "id",
      patient: "pid",
      user: "provider_id user",
      encounter: "encounter",
      insurer: "payer_id",
      "clearing house": "x12_partner_id",
    },
    dates: "date bill_date process_date",
    otherUnique: "process_file external_id",
    none: `
      code_type code groupname authorized code_text billed activity bill_process modifier units fee justify target
      ndc_info notecodes pricelevel revenue_code chargecat
    `,
  },
  care_team_member: {
    ids: {
      own: "id contact_id",
      "care team": "care_team_id",
      user: "user_id created_by updated_by",
      facility: "facility_id",
    },
    dates: "provider_since date_created date_updated",
    freeText: "note",
    none: "role status",
  },
  care_teams: {
    ids: { "care team": "id", uuid: "uuid", patient: "pid", user: "created_by updated_by" },
    dates: "date_created date_updated",
    freeText: "team_name note",
    none: "status",
  },
  categories_to_documents: {
    ids: { "document category": "category_id", document: "document_id" },
  },
  chart_tracker: {
    ids: { patient: "ct_pid", user: "ct_userid" },
    dates: "ct_when",
    none: "ct_location",
  },
  clinical_notes_documents: {
    ids: { own: "id", form: "clinical_note_id", document: "document_id", user: "created_by" },
    dates: "created_at",
  },
  clinical_notes_procedure_results: {
    ids: { own: "id", form: "clinical_note_id", "procedure result": "procedure_result_id", user: "created_by" },
    dates: "created_at",
  },
  clinical_rules_log: {
    ids: { own: "id", patient: "pid", user: "uid", facility: "facility_id" },
    dates: "date",
    freeText: "value new_value",
    none: "category",
  },
  comlink_telehealth_appointment_session: {
    ids: {
      own: "id",
      user: "user_id",
      appointment: "pc_eid",
      encounter: "encounter",
      patient: "pid pid_related",
    },
    dates: `
      provider_start_time provider_last_update patient_start_time patient_last_update patient_related_start_time
      patient_related_last_update
    `,
  },
  comlink_telehealth_person_settings: {
    ids: { own: "id", user: "user_id", patient: "patient_id" },
    dates: "date_created date_updated",
    none: "enabled",
  },
  dated_reminders: {
    ids: { reminder: "dr_id", user: "dr_from_ID dr_processed_by", patient: "pid" },
    dates: "dr_message_sent_date dr_message_due_date processed_date",
    freeText: "dr_message_text",
    none: "message_priority message_processed",
  },
  dated_reminders_link: {
    ids: { own: "dr_link_id", reminder: "dr_id", user: "to_id" },
  },
  document_templates: {
    ids: { "document template": "id", patient: "pid", user: "provider", encounter: "encounter" },
    dates: "modified_date send_date end_date",
    url: "location",
    freeText: "template_name template_content",
    none: "profile category status size mime",
  },
  documents: {
    ids: {
      document: "id",
      uuid: "uuid",
      user: "owner",
      patient: "foreign_id",
      issue: "list_id",
      encounter: "encounter_id",
      own: "audit_master_id",
    },
    dates: "date date_expires revision docdate",
    url: "url thumb_url",
    otherUnique: "hash drive_uuid couch_docid couch_revid foreign_reference_id",
    freeText: "name documentationOf document_data",
    none: `
      type size mimetype pages storagemethod path_depth imported encounter_check audit_master_approval_status
      encrypted deleted foreign_reference_table
    `,
  },
  drug_sales: {
    ids: {
      uuid: "uuid",
      own: "sale_id",
      drug: "drug_id",
      "drug lot": "inventory_id xfer_inventory_id",
      prescription: "prescription_id",
      patient: "pid",
      encounter: "encounter",
      login: "user",
      user: "distributor_id updated_by created_by",
    },
    dates: "sale_date bill_date last_updated date_created",
    freeText: "notes",
    none: "quantity fee billed pricelevel selector trans_type chargecat pharmacy_supply_type",
  },
  eligibility_verification: {
    ids: { "eligibility check": "verification_id", policy: "insurance_id" },
    dates: "eligibility_check_date create_date",
    otherUnique: "response_id",
    none: "copay deductible deductiblemet",
  },
  employer_data: {
    ids: { own: "id", uuid: "uuid", patient: "pid", user: "created_by" },
    zip: {
      postal_code: { country: "country", state: "state" },
    },
    names: "name",
    geographic: "street street_line_2 city",
    dates: "date start_date end_date",
    freeText: "occupation industry",
    none: "state country",
  },
  erx_ttl_touch: {
    ids: { patient: "patient_id" },
    dates: "updated",
    none: "process",
  },
  external_encounters: {
    ids: { own: "ee_id", patient: "ee_pid" },
    names: "ee_provider_id ee_facility_id",
    dates: "ee_date",
    otherUnique: "ee_external_id",
    freeText: "ee_encounter_diagnosis",
  },
  external_procedures: {
    ids: { own: "ep_id", patient: "ep_pid", encounter: "ep_encounter" },
    names: "ep_facility_id",
    dates: "ep_date",
    otherUnique: "ep_external_id",
    freeText: "ep_code_text",
    none: "ep_code_type ep_code",
  },
  forms: {
    ids: {
      own: "id",
      encounter: "encounter",
      form: "form_id",
      patient: "pid",
      login: "user",
      "therapy group": "therapy_group_id",
      issue: "issue_id",
      user: "provider_id",
    },
    dates: "date",
    none: "form_name groupname authorized deleted formdir",
  },
  gprelations: {
    otherUnique: "id1 id2",
    none: "type1 type2",
  },
  history_data: {
    ids: { own: "id", uuid: "uuid", patient: "pid", user: "created_by" },
    dates: `
      cataract_surgery tonsillectomy cholecystestomy heart_surgery hysterectomy hernia_repair hip_replacement
      knee_replacement appendectomy date userdate11 userdate12 userdate13 userdate14 userdate15
    `,
    freeText: `
      coffee tobacco alcohol sleep_patterns exercise_patterns seatbelt_use counseling hazardous_activities
      recreational_drugs last_breast_exam last_mammogram last_gynocological_exam last_rectal_exam
      last_prostate_exam last_physical_exam last_sigmoidoscopy_colonoscopy last_ecg last_cardiac_echo last_retinal
      last_fluvax last_pneuvax last_ldl last_hemoglobin last_psa last_exam_results history_mother dc_mother
      history_father dc_father history_siblings dc_siblings history_offspring dc_offspring history_spouse
      dc_spouse relatives_cancer relatives_tuberculosis relatives_diabetes relatives_high_blood_pressure
      relatives_heart_problems relatives_stroke relatives_epilepsy relatives_mental_illness relatives_suicide
      name_1 value_1 name_2 value_2 additional_history exams usertext11 usertext12 usertext13 usertext14
      usertext15 usertext16 usertext17 usertext18 usertext19 usertext20 usertext21 usertext22 usertext23
      usertext24 usertext25 usertext26 usertext27 usertext28 usertext29 usertext30 userarea11 userarea12
    `,
  },
  immunization_observation: {
    ids: { own: "imo_id", immunization: "imo_im_id", patient: "imo_pid", user: "imo_user" },
    dates: "imo_vis_date_published imo_vis_date_presented imo_date_observation",
    none: "imo_criteria imo_criteria_value imo_code imo_codetext imo_codetype",
  },
  immunizations: {
    ids: {
      immunization: "id",
      uuid: "uuid",
      patient: "patient_id",
      own: "immunization_id",
      user: "administered_by_id created_by updated_by ordering_provider",
      encounter: "encounter_id",
    },
    names: "administered_by",
    dates: "administered_date education_date vis_date create_date update_date expiration_date",
    otherUnique: "lot_number external_id",
    freeText: "note reason_description",
    none: `
      cvx_code manufacturer amount_administered amount_administered_unit route administration_site
      added_erroneously completion_status information_source refusal_reason reason_code
    `,
  },
  insurance_data: {
    ids: { policy: "id", uuid: "uuid", insurer: "provider", patient: "pid" },
    zip: {
      subscriber_postal_code: { country: "subscriber_country", state: "subscriber_state" },
      subscriber_employer_postal_code: { country: "subscriber_employer_country", state: "subscriber_employer_state" },
    },
    birth: "subscriber_DOB",
    names: "subscriber_lname subscriber_mname subscriber_fname subscriber_employer",
    geographic: `
      subscriber_street subscriber_city subscriber_employer_street subscriber_employer_city
      subscriber_street_line_2 subscriber_employer_street_line_2
    `,
    dates: "date date_end",
    phone: "subscriber_phone",
    ssn: "subscriber_ss",
    healthPlanBeneficiary: "policy_number group_number",
    freeText: "plan_name",
    none: `
      type subscriber_relationship subscriber_state subscriber_country subscriber_employer_state
      subscriber_employer_country copay subscriber_sex accept_assignment policy_type
    `,
  },
  issue_encounter: {
    ids: {
      own: "id",
      uuid: "uuid",
      patient: "pid",
      issue: "list_id",
      encounter: "encounter",
      user: "created_by updated_by",
    },
    dates: "created_at updated_at",
    none: "resolved",
  },
  lbf_data: {
    ids: { form: "form_id" },
    freeText: "field_value",
    none: "field_id",
  },
  lbt_data: {
    ids: { transaction: "form_id" },
    freeText: "field_value",
    none: "field_id",
  },
  lists: {
    ids: { issue: "id reinjury_id", uuid: "uuid", patient: "pid", login: "user" },
    names: "referredby",
    dates: "date begdate enddate returndate modifydate",
    device: "udi udi_data",
    otherUnique: "external_allergyid external_id",
    freeText: "title extrainfo comments destination",
    none: `
      type subtype occurrence classification diagnosis activity groupname outcome injury_part injury_type
      injury_grade reaction verification erx_source erx_uploaded severity_al list_option_id
    `,
  },
  lists_medication: {
    ids: { own: "id reporting_source_record_id", issue: "list_id", prescription: "prescription_id" },
    dates: "medication_adherence_date_asserted",
    freeText: "drug_dosage_instructions",
    none: `
      usage_category usage_category_title request_intent request_intent_title
      medication_adherence_information_source medication_adherence is_primary_record
    `,
  },
  lists_touch: {
    ids: { patient: "pid" },
    dates: "date",
    none: "type",
  },
  medex_recalls: {
    ids: { own: "r_ID r_PRACTID", patient: "r_pid", facility: "r_facility", user: "r_provider" },
    dates: "r_eventDate r_created",
    freeText: "r_reason",
  },
  module_prior_authorizations: {
    ids: { own: "id", patient: "pid" },
    dates: "start_date end_date",
    account: "auth_num",
    none: "cpt init_units remaining_units",
  },
  openemr_postcalendar_events: {
    ids: {
      appointment: "pc_eid",
      own: "pc_multiple",
      user: "pc_aid pc_informant",
      patient: "pc_pid",
      "therapy group": "pc_gid",
      facility: "pc_facility pc_billing_location",
      uuid: "uuid",
    },
    names: "pc_contname",
    geographic: "pc_location",
    dates: "pc_time pc_eventDate pc_endDate pc_recurrspec pc_startTime pc_endTime",
    phone: "pc_conttel",
    email: "pc_contemail",
    url: "pc_website",
    freeText: "pc_title pc_hometext",
    none: `
      pc_catid pc_comments pc_counter pc_topic pc_duration pc_recurrtype pc_recurrfreq pc_alldayevent pc_fee
      pc_eventstatus pc_sharing pc_language pc_apptstatus pc_prefcatid pc_sendalertsms pc_sendalertemail pc_room
    `,
  },
  patient_birthday_alert: {
    ids: { patient: "pid", user: "user_id" },
    dates: "turned_off_on",
  },
  patient_care_experience_preferences: {
    ids: { own: "id", uuid: "uuid", patient: "patient_id" },
    dates: "effective_datetime",
    freeText: "value_text note",
    none: `
      observation_code observation_code_text value_type value_code value_code_system value_display value_boolean
      status
    `,
  },
  patient_data: {
    ids: {
      own: "id",
      uuid: "uuid",
      pharmacy: "pharmacy_id",
      user: "providerID ref_providerID advance_directive_user_authenticator created_by updated_by",
      patient: "pid",
    },
    zip: {
      postal_code: { country: "country_code", state: "state" },
      guardianpostalcode: { country: "guardiancountry", state: "guardianstate" },
    },
    birth: "DOB",
    names: `
      fname lname mname contact_relationship referrer mothersname guardiansname birth_fname birth_lname
      birth_mname name_history suffix preferred_name
    `,
    geographic: "street city county guardianaddress guardiancity street_line_2",
    dates: `
      date financial_review regdate contrastart ad_reviewed deceased_date imm_reg_stat_effdate publ_code_eff_date
      prot_indi_effdate provider_since_date last_updated
    `,
    phone: "phone_home phone_biz phone_contact phone_cell guardianphone guardianworkphone",
    email: "email email_direct guardianemail",
    ssn: "ss",
    mrn: "pubpid",
    certificateLicense: "drivers_license",
    otherUnique: "referrerID squad cmsportal_login care_team_provider care_team_facility tribal_affiliations",
    freeText: `
      financial occupation interpreter billing_note genericname1 genericval1 genericname2 genericval2
      referral_source usertext1 usertext2 usertext3 usertext4 usertext5 usertext6 usertext7 usertext8 userlist1
      userlist2 userlist3 userlist4 userlist5 userlist6 userlist7 deceased_reason industry patient_groups
      prevent_portal_apps interpretter
    `,
    none: `
      title language state country_code status sex ethnoracial race ethnicity religion interpreter_needed
      migrantseasonal family_size monthly_income homeless hipaa_mail hipaa_voice hipaa_notice hipaa_message
      hipaa_allowsms hipaa_allowemail fitness pricelevel completed_ad vfc allow_imm_reg_use allow_imm_info_share
      allow_health_info_ex allow_patient_portal soap_import_status care_team_status imm_reg_status publicity_code
      protect_indicator guardianrelationship guardiansex guardianstate guardiancountry sexual_orientation
      gender_identity dupscore nationality_country sex_identified pronoun
    `,
  },
  patient_reminders: {
    ids: { own: "id", patient: "pid" },
    dates: "date_inactivated date_created date_sent",
    none: `
      active reason_inactivated due_status category item voice_status sms_status email_status mail_status
    `,
  },
  patient_settings: {
    ids: { patient: "setting_patient" },
    freeText: "setting_value",
    none: "setting_label",
  },
  patient_tracker: {
    ids: { tracker: "id", appointment: "eid", patient: "pid", login: "original_user", encounter: "encounter" },
    dates: "date apptdate appttime",
    none: "lastseq random_drug_test drug_screen_completed",
  },
  patient_tracker_element: {
    ids: { tracker: "pt_tracker_id", login: "user" },
    dates: "start_datetime",
    none: "room status seq",
  },
  patient_treatment_intervention_preferences: {
    ids: { own: "id", uuid: "uuid", patient: "patient_id" },
    dates: "effective_datetime",
    freeText: "value_text note",
    none: `
      observation_code observation_code_text value_type value_code value_code_system value_display value_boolean
      status
    `,
  },
  payments: {
    ids: { own: "id", patient: "pid", encounter: "encounter", login: "user" },
    dates: "dtime",
    account: "source",
    none: "method amount1 amount2 posted1 posted2",
  },
  prescriptions: {
    ids: {
      prescription: "id",
      uuid: "uuid",
      patient: "patient_id",
      own: "filled_by_id",
      pharmacy: "pharmacy_id",
      user: "provider_id created_by updated_by",
      encounter: "encounter",
      drug: "drug_id",
      login: "user",
    },
    names: "site",
    dates: "date_added date_modified start_date filled_date datetime end_date txDate",
    otherUnique: "prescriptionguid external_id",
    freeText: "note drug_info_erx indication drug_dosage_instructions",
    none: `
      drug rxnorm_drugcode form dosage quantity size unit route interval substitute refills per_refill medication
      active erx_source erx_uploaded prn ntx rtx usage_category usage_category_title request_intent
      request_intent_title diagnosis
    `,
  },
  pro_assessments: {
    ids: { own: "id", user: "user_id", patient: "patient_id" },
    dates: "deadline created_at updated_at",
    otherUnique: "form_oid assessment_oid",
    none: "form_name status score error",
  },
  procedure_answers: {
    ids: { form: "procedure_order_id" },
    freeText: "answer",
    none: "procedure_order_seq question_code answer_seq procedure_code",
  },
  procedure_order: {
    ids: {
      form: "procedure_order_id",
      uuid: "uuid",
      user: "provider_id collector_id",
      patient: "patient_id",
      encounter: "encounter_id",
      lab: "lab_id",
      facility: "account_facility",
      own: "location_id",
    },
    dates: "date_collected date_ordered date_transmitted scheduled_date scheduled_start scheduled_end",
    account: "account",
    certificateLicense: "provider_number",
    otherUnique: "control_id external_id",
    freeText: "patient_instructions clinical_hx",
    none: `
      order_priority order_status activity specimen_type specimen_location specimen_volume history_order
      order_diagnosis billing_type specimen_fasting order_psc order_abn procedure_order_type performer_type
      order_intent
    `,
  },
  procedure_order_code: {
    ids: { form: "procedure_order_id" },
    dates: "date_end reason_date_low reason_date_high",
    freeText: "reason_description",
    none: `
      procedure_order_seq procedure_code procedure_name procedure_source diagnoses do_not_send
      procedure_order_title procedure_type transport reason_code reason_status
    `,
  },
  procedure_order_relationships: {
    ids: { own: "id", form: "procedure_order_id", uuid: "resource_uuid", user: "created_by" },
    dates: "created_at",
    none: "resource_type relationship",
  },
  procedure_report: {
    ids: {
      "procedure report": "procedure_report_id",
      uuid: "uuid",
      form: "procedure_order_id",
      user: "source",
    },
    dates: "date_collected date_report",
    otherUnique: "specimen_num",
    freeText: "report_notes",
    none: "procedure_order_seq date_collected_tz date_report_tz report_status review_status",
  },
  procedure_result: {
    ids: {
      "procedure result": "procedure_result_id",
      uuid: "uuid",
      "procedure report": "procedure_report_id",
      document: "document_id",
    },
    names: "facility",
    dates: "date date_end",
    freeText: "result comments",
    none: "result_data_type result_code result_text units range abnormal result_status",
  },
  procedure_specimen: {
    ids: {
      "procedure specimen": "procedure_specimen_id",
      uuid: "uuid",
      form: "procedure_order_id",
      user: "created_by updated_by",
    },
    dates: "collected_date collection_date_low collection_date_high created_at updated_at",
    otherUnique: "specimen_identifier accession_identifier",
    freeText: "collection_method specimen_location specimen_condition comments",
    measured: "volume_unit",
    none: `
      procedure_order_seq specimen_type_code specimen_type collection_method_code specimen_location_code
      volume_value condition_code deleted
    `,
  },
  questionnaire_response: {
    ids: {
      "questionnaire response": "id",
      uuid: "uuid",
      questionnaire: "questionnaire_foreign_id",
      patient: "patient_id",
      encounter: "encounter",
      user: "audit_user_id creator_user_id",
    },
    dates: "create_time last_updated",
    otherUnique: "response_id",
    freeText: "questionnaire_response form_response",
    none: "questionnaire_id questionnaire_name version status questionnaire form_score tscore error",
  },
  requisition: {
    ids: { own: "id", patient: "pid", lab: "lab_id" },
    otherUnique: "req_id",
  },
  rule_patient_data: {
    ids: { own: "id", patient: "pid" },
    dates: "date",
    freeText: "result",
    none: "category item complete",
  },
  shared_attributes: {
    ids: { patient: "pid", encounter: "encounter", user: "user_id" },
    dates: "last_update",
    freeText: "field_value",
    none: "field_id",
  },
  therapy_groups: {
    ids: { "therapy group": "group_id" },
    names: "group_guest_counselors",
    dates: "group_start_date group_end_date",
    freeText: "group_name group_notes",
    none: "group_type group_participation group_status",
  },
  therapy_groups_participant_attendance: {
    ids: { form: "form_id", patient: "pid" },
    freeText: "meeting_patient_comment",
    none: "meeting_patient_status",
  },
  therapy_groups_participants: {
    ids: { "therapy group": "group_id", patient: "pid" },
    dates: "group_patient_start group_patient_end",
    freeText: "group_patient_comment",
    none: "group_patient_status",
  },
  transactions: {
    ids: { transaction: "id", patient: "pid", login: "user" },
    dates: "date",
    none: "title groupname authorized",
  },
  voids: {
    ids: { own: "void_id", patient: "patient_id", encounter: "encounter_id", user: "user_id" },
    dates: "date_original date_voided",
    freeText: "other_info notes",
    none: "what_voided amount1 amount2 reason",
  },
  weno_assigned_pharmacy: {
    ids: { own: "id", patient: "pid" },
    otherUnique: "primary_ncpdp alternate_ncpdp",
    freeText: "search_persist",
    none: "is_history",
  },
} as const satisfies Readonly<Record<string, TableColumns>>;
