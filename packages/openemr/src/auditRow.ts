import { createHash } from "node:crypto";

/** One thing that OpenEMR's audit log shall say. */
export interface AuditEvent {
  /** In the clocks of the practice: `2026-03-04 05:06:07`. */
  readonly date: string;
  readonly event: string;
  readonly category: string;
  readonly user: string;
  readonly groupname: string;
  readonly comment: string;
  readonly patientId?: number;
  readonly success: boolean;
}

/** Columns of a row and their values, in the order of the checksum. */
export type AuditRow = Readonly<Record<string, string | number | null>>;

/** The row of table `log`. Comments are kept in clear, as base64: that is what OpenEMR does where it does not encrypt them. */
export const auditRow = ({ date, event, category, user, groupname, comment, patientId, success }: AuditEvent) =>
  ({
    date,
    event,
    category,
    user,
    groupname,
    comments: Buffer.from(comment).toString("base64"),
    user_notes: "",
    patient_id: patientId ?? null,
    success: success ? 1 : 0,
    crt_user: "",
    log_from: "open-emr",
    menu_item_id: null,
    ccda_doc_id: null,
  }) satisfies AuditRow;

/** The row of table `log_comment_encrypt` that belongs to it: with this checksum OpenEMR's report of tampering accepts both. */
export const auditChecksumRow = (row: AuditRow, logId: string) =>
  ({
    log_id: logId,
    encrypt: "No",
    checksum: createHash("sha3-512")
      .update(
        Object.values(row)
          .map((value) => value ?? "")
          .join(""),
      )
      .digest("hex"),
    checksum_api: "",
    version: "4",
  }) satisfies AuditRow;
