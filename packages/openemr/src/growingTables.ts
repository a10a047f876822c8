/** How the moment is known at which a row was written. */
export type WrittenAt =
  /** It has it itself. */
  | { readonly date: string }
  /** It belongs to a row of another table, which was written with it. */
  | { readonly of: string; readonly by: string };

/**
 * Tables whose rows OpenEMR writes once, with the moment of writing, and never changes. Others that are called logs are not of
 * this kind: disclosures in `extended_log` have the day that a person typed and can be edited, messages in `email_queue` and
 * requests in `audit_master` change when they are dealt with.
 */
export const growingTables: ReadonlyMap<string, WrittenAt> = new Map<string, WrittenAt>([
  ["api_log", { date: "created_time" }],
  ["clinical_rules_log", { date: "date" }],
  ["log", { date: "date" }],
  ["log_comment_encrypt", { of: "log", by: "log_id" }],
]);
