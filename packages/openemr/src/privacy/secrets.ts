import { isSecretName, isSecretTableName, isSettingsValue } from "./secretNames.ts";
import { columnsOf } from "./tableMap.ts";
import { withheldReason } from "./withheldTables.ts";

/** Tables that exist for credentials: nothing of them leaves. */
const secretTables: ReadonlyMap<string, string> = new Map(
  `api_refresh_token api_token comlink_telehealth_auth jwt_grant_history keys login_mfa_registrations
   module_faxsms_credentials multiple_db oauth_clients oauth_trusted_user onetime_auth session_tracker users_secure`
    .split(/\s+/)
    .map((name) => [name, "a table of keys and credentials"] as const),
);

/** Columns that contain, or repeat, what opens something. */
const secretColumns: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    api_log: "request request_url request_body response", // bodies of logins, tokens in addresses
    claims: "submitted_claim", // the head of an X12 interchange names user and password
    email_queue: "body", // links that log in
    export_job: "access_token_id",
    log: "comments", // whole statements with their values
    medex_prefs: "ME_api_key",
    module_configuration: "field_value",
    notification_log: "smsgateway_info", // user, password and key of the gateway
    notification_settings: "SMS_gateway_password SMS_gateway_apikey",
    onsite_portal_activity: "checksum", // of a payment: the card
    openemr_module_vars: "pn_value",
    patient_access_onsite: "portal_pwd portal_onetime",
    payment_gateway_details: "login_id transaction_key md5",
    payment_processing_audit: "audit_data revert_audit_data",
    procedure_providers: "login password",
    user_settings: "setting_value",
    users: "password",
    verify_email: "token_onetime",
    x12_partners: "x12_isa02 x12_isa04 x12_sftp_pass x12_client_secret",
  }).map(([table, columns]) => [table, new Set(columns.toLowerCase().split(" "))] as const),
);

/** Why nothing of a table leaves in any profile; undefined when something may. */
export const secretTableReason = (table: string): string | undefined =>
  // A deny list: also under another case.
  secretTables.get(table.toLowerCase()) ??
  (columnsOf(table) === undefined && withheldReason(table) === undefined && isSecretTableName(table)
    ? "named like a table of credentials"
    : undefined);

/** Why a column leaves in no profile; undefined when it may. */
export const secretColumnReason = (table: string, column: string): string | undefined => {
  if (secretColumns.get(table.toLowerCase())?.has(column.toLowerCase())) return "contains or repeats a secret";
  if (columnsOf(table)?.has(column.toLowerCase())) return undefined;
  if (isSecretName(column)) return "named like a secret";
  return isSettingsValue(table, column) ? "a setting can contain a secret" : undefined;
};

/**
 * Settings of `globals` that leave, each with how its value looks. All others keep their name and lose their value: many are
 * passwords, and modules add their own.
 */
export const harmlessSettings: readonly { readonly looksLike: string; readonly names: readonly string[] }[] = [
  {
    looksLike: "^[0-9]{1,4}$",
    names: [
      "age_display_format",
      "calendar_interval",
      "currency_decimals",
      "database_encryption",
      "date_display_format",
      "drive_encryption",
      "first_day_week",
      "phone_country_code",
      "schedule_end",
      "schedule_start",
      "time_display_format",
      "units_of_measurement",
      "us_weight_format",
    ],
  },
  {
    looksLike:
      "^(UTC|(Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Z][A-Za-z_/-]{1,29})$",
    names: ["gbl_time_zone"],
  },
];

/** Whether a setting with this value may leave. */
export const isHarmlessSetting = (name: string, value: string): boolean =>
  harmlessSettings.some(({ names, looksLike }) => names.includes(name) && new RegExp(looksLike).test(value));
