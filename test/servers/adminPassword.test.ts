import { execFileSync } from "node:child_process";
import { type AuditRow, auditChecksumRow } from "@openemr-ops/openemr/auditRow";
import { opens } from "@openemr-ops/openemr/passwordHash";
import { planAdminRotation, rotateAdmin } from "@openemr-ops/rotation/admin/rotateAdmin";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AdminClinic, anAdminClinic, earlierPasswords, openEmrTables } from "../support/adminClinic.ts";

const steps = ["storePassword", "changePassword", "makePasswordCurrent"];
const [first = ""] = earlierPasswords;

const schemas = [
  { whose: "tables of our own", statements: undefined },
  ...(openEmrTables ? [{ whose: "OpenEMR's own tables", statements: openEmrTables }] : []),
];

describe.each(schemas)("the administrator's password in $whose", ({ statements }) => {
  let clinic: AdminClinic;
  beforeAll(async () => {
    clinic = await anAdminClinic(statements);
  });
  afterAll(() => clinic.remove());
  beforeEach(() => clinic.reset());
  const row = async () => (await clinic.schema.query("SELECT * FROM users_secure WHERE id = 1"))[0] ?? {};

  it("is another one after each rotation, and all else is as OpenEMR itself would leave it", async () => {
    const { rotation, schema } = clinic;
    const before = await row();
    const nurse = await schema.query("SELECT * FROM users_secure WHERE id = 2");

    expect(await planAdminRotation(rotation)).toMatchObject({ steps, warnings: [] });
    clinic.made.length = 0;
    expect(await rotateAdmin(rotation)).toEqual({ user: "admin", site: "default", steps });

    const { current = "", pending, previous } = await clinic.stored();
    expect([pending, previous, clinic.made]).toEqual([undefined, first, [current]]);
    expect(await rotation.secret.versions()).toMatchObject([{ current: true }]);
    expect(JSON.parse((await rotation.secret.versions())[0]?.text ?? "")).toEqual({
      ...{ username: "admin", password: current, note: "kept" },
    });
    const after = await row();
    expect(after).toMatchObject({
      ...{ username: "admin", last_update_password: "2026-07-04 01:06:07", login_fail_counter: 0 },
      ...{ last_login_fail: null, auto_block_emailed: 0, total_login_fail_counter: 30 },
      ...{ password_history1: before.password, password_history2: before.password_history1 },
      ...{ password_history3: before.password_history2, password_history4: before.password_history3 },
    });
    const hash = `${after.password}`;
    expect([await opens(current, hash), await opens(first, hash)]).toEqual([true, false]);
    const php = ["-n", "-r", "echo var_export(password_verify($argv[1], $argv[2]));", "--", current, hash];
    expect(execFileSync("php", php, { encoding: "utf8" })).toBe("true");
    expect(await schema.query("SELECT * FROM users_secure WHERE id = 2")).toEqual(nurse);
    expect(clinic.warnings).toEqual([]);

    await rotateAdmin(rotation);
    const next = await clinic.stored();
    expect(next.previous).toBe(current);
    expect(await opens(next.current ?? "", await clinic.hash())).toBe(true);
  });

  it("leaves an entry in the audit log that OpenEMR's report of tampering accepts", async () => {
    await rotateAdmin(clinic.rotation);
    const columns =
      "date, event, category, user, groupname, comments, user_notes, patient_id, success, crt_user, log_from, menu_item_id, ccda_doc_id";
    const logs = await clinic.schema.query(`SELECT ${columns}, id FROM log`);
    const sums = await clinic.schema.query(
      "SELECT CONCAT(log_id) AS log_id, CONCAT(encrypt) AS encrypt, checksum, checksum_api, CONCAT(version) AS version FROM log_comment_encrypt",
    );
    expect([logs.length, sums.length]).toEqual([1, 1]);
    const { id, ...log } = logs[0] ?? {};
    expect(log).toMatchObject({
      ...{ date: "2026-07-04 01:06:07", event: "password-change", category: "password-change", user: "admin" },
      ...{ groupname: "Default", success: 1, log_from: "open-emr" },
    });
    expect(Buffer.from(`${log.comments}`, "base64").toString()).toBe('Password of user id "1" rotated by OpenEMR Ops');
    expect(sums[0]).toEqual(auditChecksumRow(log as AuditRow, `${id}`));
  });
});
