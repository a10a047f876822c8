import { findTable } from "./findTable.ts";

/** Tables of which a de-identified copy would keep next to nothing, or whose rows alone say too much; with the reason. */
const withheld: Readonly<Record<string, string>> = {
  "addresses, telephone numbers and relatives": `
    addresses contact contact_address contact_relation contact_telecom person person_patient_link phone_numbers
    misc_address_book`,
  "messages to and about patients": `
    batchcom direct_message_log email_queue medex_outgoing notes notification_log oe_faxsms_queue onotes onsite_mail
    onsite_messages onsite_online pnotes`,
  "a log that repeats statements, requests or names": `
    api_log audit_details audit_master dashboard_context_audit_log erx_rx_log esign_signatures extended_log log
    log_comment_encrypt onsite_portal_activity payment_processing_audit recent_patients`,
  "whole documents about patients": `
    ccda claims documents_legal_detail documents_legal_master onsite_documents onsite_signatures`,
  "access to the system or the portal": `
    api_refresh_token api_token comlink_telehealth_auth ip_tracking jwt_grant_history keys login_mfa_registrations
    module_faxsms_credentials multiple_db oauth_clients oauth_trusted_user onetime_auth patient_access_onsite
    session_tracker users_secure verify_email`,
  "earlier names of patients": "patient_history",
  "settings of the whole system": "globals",
  "exports, reports and transmissions about patients": `
    ehi_export_job ehi_export_job_patients ehi_export_job_task_patients ehi_export_job_tasks export_job report_itemized
    report_results syndromic_surveillance weno_download_log x12_remote_tracker`,
  "a register of all record numbers": "uuid_mapping uuid_registry",
};

const reasons: ReadonlyMap<string, string> = new Map(
  Object.entries(withheld).flatMap(([reason, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, reason] as const),
  ),
);

/** Why nothing of a table leaves de-identified; undefined when something may, and for a table that is not known. */
export const withheldReason = (table: string): string | undefined => findTable(reasons, table);
