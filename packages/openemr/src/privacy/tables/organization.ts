import type { TableColumns } from "../columnKinds.ts";

/** Tables about the clinic, its people and its partners. */
export const organizationTables = {
  facility: {
    ids: { facility: "id", uuid: "uuid" },
    zip: {
      postal_code: { country: "country_code", state: "state" },
    },
    names: "name attn",
    geographic: "street city mail_street mail_street2 mail_city mail_zip",
    dates: "date_created last_updated",
    phone: "phone",
    fax: "fax",
    email: "email",
    account: "iban",
    certificateLicense: "federal_ein x12_sender_id domain_identifier facility_npi weno_id",
    url: "website",
    otherUnique: "facility_code oid",
    freeText: "info",
    none: `
      state country_code service_location billing_location accepts_assignment pos_code facility_taxonomy
      tax_id_type color primary_business_entity extra_validation mail_state inactive organization_type
    `,
  },
  facility_user_ids: {
    ids: { user: "uid", facility: "facility_id", uuid: "uuid" },
    dates: "date_created last_updated",
    certificateLicense: "field_value",
    none: "id field_id",
  },
  insurance_companies: {
    ids: { insurer: "id", uuid: "uuid", "clearing house": "x12_default_partner_id x12_default_eligibility_id" },
    names: "name attn",
    dates: "date_created last_updated",
    certificateLicense: "cms_id x12_receiver_id alt_cms_id eligibility_id",
    none: "ins_type_code inactive cqm_sop",
  },
  insurance_numbers: {
    ids: { user: "provider_id", insurer: "insurance_company_id" },
    certificateLicense: "provider_number rendering_provider_number group_number",
    none: "id provider_number_type rendering_provider_number_type",
  },
  pharmacies: {
    ids: { pharmacy: "id" },
    names: "name",
    email: "email",
    certificateLicense: "ncpdp npi",
    none: "transmit_method",
  },
  procedure_providers: {
    ids: { lab: "ppid", uuid: "uuid", user: "lab_director" },
    names: "name",
    dates: "date_created last_updated",
    certificateLicense: "npi",
    url: "remote_host orders_path results_path",
    otherUnique: "send_app_id send_fac_id recv_app_id recv_fac_id",
    freeText: "notes",
    none: "DorP direction protocol active type",
  },
  therapy_groups_counselors: {
    ids: { "therapy group": "group_id", user: "user_id" },
  },
  users: {
    ids: {
      user: "id supervisor_id",
      uuid: "uuid",
      login: "username",
      facility: "facility_id billing_facility_id",
    },
    names: "fname mname lname suffix facility billname assistant organization billing_facility",
    geographic: "street streetb city zip street2 streetb2 city2 zip2",
    dates: "date_created last_updated",
    phone: "phone phonew1 phonew2 phonecell",
    fax: "fax",
    email: "email email_direct google_signin_email",
    certificateLicense: "federaltaxid federaldrugid upin npi state_license_number weno_prov_id",
    url: "url",
    freeText: "info notes",
    none: `
      authorized source see_auth active title specialty valedictory state country_code state2 country_code2 cal_ui
      taxonomy calendar abook_type default_warehouse irnpool newcrop_user_role cpoe physician_type main_menu_role
      patient_menu_role portal_user
    `,
  },
  users_facility: {
    ids: { user: "table_id", facility: "facility_id" },
    none: "tablename warehouse_id",
  },
  weno_pharmacy: {
    names: "Business_Name",
    geographic: "Address_Line_1 Address_Line_2 City ZipCode_safe Latitude Longitude",
    dates: "Created Modified Deleted",
    phone: "Pharmacy_Phone_safe",
    certificateLicense: "NCPDP_safe Mutually_Defined_ID_safe NPI_safe",
    none: [
      "id",
      "State",
      "Country_Code",
      "International",
      "Test_Pharmacy",
      "State_Wide_Mail_Order",
      "Mail_Order_US_State_Serviced",
      "Mail_Order_ US_Territories_Serviced",
      "On_WENO",
      "24HR",
    ],
  },
  x12_partners: {
    ids: { "clearing house": "id" },
    names: "name x12_submitter_name",
    phone: "x12_per06",
    certificateLicense: "id_number x12_sender_id x12_receiver_id x12_gs02 x12_gs03",
    url: `
      x12_sftp_host x12_token_endpoint x12_eligibility_endpoint x12_claim_status_endpoint x12_attachment_endpoint
    `,
    otherUnique: "x12_sftp_login x12_client_id",
    none: `
      processing_format x12_isa01 x12_isa03 x12_isa05 x12_isa07 x12_isa14 x12_isa15 x12_dtp03 x12_submitter_id
      x12_sftp_port x12_sftp_local_dir x12_sftp_remote_dir
    `,
  },
} as const satisfies Readonly<Record<string, TableColumns>>;
