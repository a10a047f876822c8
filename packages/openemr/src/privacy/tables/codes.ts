import type { TableColumns } from "../columnKinds.ts";

/** Code sets and translations, which come from outside. */
export const codeTables = {
  code_types: {
    none: `
      ct_key ct_id ct_seq ct_mod ct_just ct_mask ct_fee ct_rel ct_nofs ct_diag ct_active ct_label ct_external
      ct_claim ct_proc ct_term ct_problem ct_drug
    `,
  },
  codes: {
    none: `
      id code_text code_text_short code code_type modifier units fee superbill related_code taxrates cyp_factor
      active reportable financial_reporting revenue_code
    `,
  },
  codes_history: {
    names: "update_by",
    dates: "date",
    none: `
      log_id code modifier active diagnosis_reporting financial_reporting category code_type_name code_text
      code_text_short prices action_type
    `,
  },
  erx_narcotics: {
    none: "id drug dea_number csa_sch narc other_names",
  },
  form_eye_mag_prefs: {
    ids: { user: "id" },
    none: "PEZONE LOCATION LOCATION_text selection ZONE_ORDER GOVALUE ordering FILL_ACTION GORIGHT GOLEFT UNSPEC",
  },
  form_physical_exam_diagnoses: {
    none: "line_id ordering diagnosis",
  },
  form_track_anything_type: {
    ids: { "tracked item": "track_anything_type_id parent" },
    none: "name description position active",
  },
  icd10_dx_order_code: {
    none: "dx_id dx_code formatted_dx_code valid_for_coding short_desc long_desc active revision",
  },
  icd10_gem_dx_10_9: {
    none: "map_id dx_icd10_source dx_icd9_target flags active revision",
  },
  icd10_gem_dx_9_10: {
    none: "map_id dx_icd9_source dx_icd10_target flags active revision",
  },
  icd10_gem_pcs_10_9: {
    none: "map_id pcs_icd10_source pcs_icd9_target flags active revision",
  },
  icd10_gem_pcs_9_10: {
    none: "map_id pcs_icd9_source pcs_icd10_target flags active revision",
  },
  icd10_pcs_order_code: {
    none: "pcs_id pcs_code valid_for_coding short_desc long_desc active revision",
  },
  icd10_reimbr_dx_9_10: {
    none: "map_id code code_cnt ICD9_01 ICD9_02 ICD9_03 ICD9_04 ICD9_05 ICD9_06 active revision",
  },
  icd10_reimbr_pcs_9_10: {
    none: "map_id code code_cnt ICD9_01 ICD9_02 ICD9_03 ICD9_04 ICD9_05 ICD9_06 active revision",
  },
  icd9_dx_code: {
    none: "dx_id dx_code formatted_dx_code short_desc long_desc active revision",
  },
  icd9_dx_long_code: {
    none: "dx_id dx_code long_desc active revision",
  },
  icd9_sg_code: {
    none: "sg_id sg_code formatted_sg_code short_desc long_desc active revision",
  },
  icd9_sg_long_code: {
    none: "sq_id sg_code long_desc active revision",
  },
  insurance_type_codes: {
    none: "id type claim_type",
  },
  lang_constants: {
    none: "cons_id constant_name",
  },
  lang_custom: {
    none: "lang_description lang_code constant_name definition",
  },
  lang_definitions: {
    none: "def_id cons_id lang_id definition",
  },
  lang_languages: {
    none: "lang_id lang_code lang_description lang_is_rtl",
  },
  preference_value_sets: {
    none: "id loinc_code answer_code answer_system answer_display answer_definition sort_order active",
  },
  standardized_tables_track: {
    dates: "imported_date revision_date",
    none: "id name revision_version file_checksum",
  },
  supported_external_dataloads: {
    dates: "load_release_date",
    none: "load_id load_type load_source load_filename load_checksum",
  },
  valueset: {
    none: "nqf_code code code_system code_type valueset description valueset_name",
  },
  valueset_oid: {
    none: "nqf_code code code_system code_type valueset description valueset_name",
  },
} as const satisfies Readonly<Record<string, TableColumns>>;
