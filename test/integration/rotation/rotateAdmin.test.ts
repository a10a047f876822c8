import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import {
  CredentialSecretError,
  DatabaseFailedError,
  PasswordPolicyError,
  RotationRefusedError,
  SecretUnreadableError,
} from "@openemr-ops/core/errors";
import { findSystemTool } from "@openemr-ops/local/tools/findTool";
import { hashPassword, opens } from "@openemr-ops/openemr/passwordHash";
import { planAdminRotation, rotateAdmin } from "@openemr-ops/rotation/admin/rotateAdmin";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AdminClinic, anAdminClinic, earlierPasswords } from "../../support/adminClinic.ts";
import { accessOf } from "../../support/database.ts";

const steps = ["storePassword", "changePassword", "makePasswordCurrent"];
const [first = "", second = ""] = earlierPasswords;

describe("a rotation of the administrator's password", () => {
  let clinic: AdminClinic;
  beforeAll(async () => {
    clinic = await anAdminClinic();
  });
  afterAll(() => clinic.remove());
  beforeEach(() => clinic.reset());
  const query = (sql: string, values: readonly unknown[] = []) => clinic.schema.query(sql, values);
  const pending = (text: string) => writeFile(`${clinic.file}.pending`, text, { mode: 0o600 });
  const secretOf = (password: string) => JSON.stringify({ username: "admin", password });

  it("makes the secret where there is none", async () => {
    await writeFile(clinic.file, "");
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps });
    expect(JSON.parse((await clinic.rotation.secret.versions())[0]?.text ?? "")).toEqual({
      ...{ username: "admin", password: clinic.made[0] },
    });
    expect(await clinic.isOpenedByStored()).toBe(true);
    expect(clinic.warnings).toEqual([]);
  });

  it("makes it where the store makes a first version the current one at once, and its run was stopped there", async () => {
    await writeFile(clinic.file, "");
    const { secret } = clinic.rotation;
    const atOnce = {
      ...secret,
      writePending: async (text: string) => {
        const isFirst = (await secret.versions()).length === 0;
        const version = await secret.writePending(text);
        if (isFirst) await secret.makeCurrent(version);
        return { ...version, current: isFirst };
      },
    };
    const stopped = {
      ...atOnce,
      writePending: async (text: string) => Promise.reject(await atOnce.writePending(text)),
    };
    await rotateAdmin({ ...clinic.rotation, secret: stopped }).catch(() => {});
    expect((await clinic.stored()).current).toBe(clinic.made[0]);

    await rotateAdmin({ ...clinic.rotation, secret: atOnce });
    expect(await clinic.isOpenedByStored()).toBe(true);
    expect((await clinic.stored()).pending).toBeUndefined();
  });

  it("replaces a password that somebody set by hand, and says so", async () => {
    await query("UPDATE users_secure SET password = ? WHERE id = 1", [await hashPassword("By-Hand-Canary-9", 4)]);
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps });
    expect(await clinic.isOpenedByStored()).toBe(true);
    expect(clinic.warnings).toEqual([expect.stringMatching(/rotations\.admin\.secret was not that of .* admin/)]);
    expect(clinic.warnings.join()).not.toMatch(/canary/i);
  });

  it("ends a run that was stopped after the change, and makes no password", async () => {
    await pending(secretOf("Pending-Canary-7"));
    await query("UPDATE users_secure SET password = ? WHERE id = 1", [await hashPassword("Pending-Canary-7", 4)]);
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps: ["makePasswordCurrent"] });
    expect([await clinic.stored(), clinic.made]).toEqual([{ current: "Pending-Canary-7", previous: first }, []]);
    expect(await query("SELECT * FROM log")).toEqual([]);
  });

  it("uses the password that a stopped run wrote down, and makes no other", async () => {
    await pending(secretOf("Pending-Canary-7"));
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps: ["changePassword", "makePasswordCurrent"] });
    expect([await clinic.stored(), clinic.made]).toEqual([{ current: "Pending-Canary-7", previous: first }, []]);
    expect(await opens("Pending-Canary-7", await clinic.hash())).toBe(true);
  });

  it.each([
    ["was in use before", second],
    ["is the current one", first],
  ])("makes another password where the pending one %s", async (_why, password) => {
    await pending(secretOf(password));
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps });
    expect((await clinic.stored()).current).toBe(clinic.made[0]);
    expect(await clinic.isOpenedByStored()).toBe(true);
  });

  it("keeps no history where OpenEMR keeps none", async () => {
    await clinic.setting("password_history", "0");
    const before = (await query("SELECT password_history1, password_history2 FROM users_secure WHERE id = 1"))[0];
    await rotateAdmin(clinic.rotation);
    expect((await query("SELECT password_history1, password_history2 FROM users_secure WHERE id = 1"))[0]).toEqual(
      before,
    );
  });

  it("keeps a second factor that opens with the drive keys, and one of another method", async () => {
    await query("INSERT INTO login_mfa_registrations (user_id, name, method, var1) VALUES (1, 'app', 'TOTP', ?)", [
      clinic.seal("secret"),
    ]);
    await query("INSERT INTO login_mfa_registrations (user_id, name, method, var1) VALUES (1, 'key', 'U2F', '{}')");
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps });
  });

  it("rotates a user who is excepted from LDAP", async () => {
    await clinic.setting("gbl_ldap_enabled", "1");
    await clinic.setting("gbl_ldap_exclusions", "oe-system, admin");
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps });
  });

  it("looks again where OpenEMR renews the hash meanwhile", async () => {
    const { secret } = clinic.rotation;
    const writePending = async (text: string) => {
      await query("UPDATE users_secure SET password = ? WHERE id = 1", [await hashPassword(first, 4)]);
      return await secret.writePending(text);
    };
    await rotateAdmin({ ...clinic.rotation, secret: { ...secret, writePending } });
    expect(await clinic.isOpenedByStored()).toBe(true);
    expect(clinic.made).toHaveLength(1);
  });

  it("stops where somebody else changes the user before every attempt", async () => {
    const { name, socket, user, password } = clinic.schema;
    let attempts = 0;
    const now = () => {
      const sql = `UPDATE users_secure SET password_history4 = '${++attempts}' WHERE id = 1`;
      const args = ["--no-defaults", `--socket=${socket}`, `--user=${user}`, name, "-e", sql];
      execFileSync(findSystemTool("mariadb") ?? "mariadb", args, { env: { MYSQL_PWD: password } });
      return clinic.rotation.now();
    };
    const hash = await clinic.hash();
    await expect(rotateAdmin({ ...clinic.rotation, now })).rejects.toThrow(/changed by somebody else/);
    expect([attempts, await clinic.hash(), await query("SELECT * FROM log")]).toEqual([3, hash, []]);
  });

  it("changes nothing where the table does not keep what is written", async () => {
    await query(
      "CREATE TRIGGER spoil BEFORE UPDATE ON users_secure FOR EACH ROW SET NEW.password = LOWER(NEW.password)",
    );
    const rows = await query("SELECT * FROM users_secure");
    try {
      await expect(rotateAdmin(clinic.rotation)).rejects.toThrow(DatabaseFailedError);
      expect(await query("SELECT * FROM users_secure")).toEqual(rows);
      expect(await query("SELECT * FROM log")).toEqual([]);
    } finally {
      await query("DROP TRIGGER spoil");
    }
    expect(await rotateAdmin(clinic.rotation)).toMatchObject({ steps: ["changePassword", "makePasswordCurrent"] });
    expect(clinic.made).toHaveLength(1);
  });

  it("shows in a dry run what it would do, with the right to read alone", async () => {
    const readOnly = { ...clinic.rotation, database: accessOf(clinic.schema, clinic.schema.dumpUser) };
    const before = await clinic.everything();
    expect(await planAdminRotation(readOnly)).toEqual({ user: "admin", site: "default", steps, warnings: [] });
    expect(await clinic.everything()).toEqual(before);
    expect(clinic.made).toHaveLength(1); // and forgotten
  });

  const nobodyElse = "UPDATE users_secure SET";
  it.each<{ what: string; sql?: readonly string[]; settings?: Record<string, string>; error: RegExp; user?: string }>([
    { what: "logs in by LDAP", settings: { gbl_ldap_enabled: "1", gbl_ldap_exclusions: "Admin" }, error: /LDAP/ },
    { what: "is not active", sql: ["UPDATE users SET active = 0 WHERE id = 1"], error: /not active/ },
    { what: "does not exist", user: "nobody", error: /no such user/ },
    {
      what: "has a name in capitals",
      sql: ["UPDATE users SET username = 'Admin' WHERE id = 1"],
      error: /writes it Admin/,
    },
    {
      what: "is written otherwise in the second table",
      sql: [`${nobodyElse} username = 'ADMIN' WHERE id = 1`],
      error: /writes it ADMIN/,
    },
    { what: "is there twice", sql: ["INSERT INTO users (id, username) VALUES (9, 'admin')"], error: /several users/ },
    {
      what: "is there twice in the second table",
      sql: ["INSERT INTO users_secure (id, username) VALUES (9, 'admin')"],
      error: /more than once/,
    },
    { what: "never had a password", sql: ["DELETE FROM users_secure WHERE id = 1"], error: /no row in users_secure/ },
    {
      what: "has a second factor that depends on the password",
      sql: ["INSERT INTO login_mfa_registrations (user_id, name, method, var1) VALUES (1, 'app', 'TOTP', '007AAAA')"],
      error: /second factor \(TOTP\) app/,
    },
  ])("refuses a user who $what, and changes nothing", async ({ sql = [], settings = {}, error, user = "admin" }) => {
    for (const statement of sql) await query(statement);
    for (const [name, value] of Object.entries(settings)) await clinic.setting(name, value);
    const before = await clinic.everything();
    for (const work of [rotateAdmin, planAdminRotation]) {
      const refusal: unknown = await work({ ...clinic.rotation, user }).catch((thrown: unknown) => thrown);
      expect(refusal).toBeInstanceOf(RotationRefusedError);
      expect(`${refusal}`).toMatch(error);
    }
    expect(await clinic.everything()).toEqual(before);
  });

  it.each<{
    what: string;
    text?: string;
    pendingText?: string;
    settings?: Record<string, string>;
    error: RegExp;
    kind: new (...args: never[]) => Error;
  }>([
    { what: "is not JSON", text: "canary", error: /not JSON/, kind: CredentialSecretError },
    { what: "is a list", text: '["canary"]', error: /not an object/, kind: CredentialSecretError },
    { what: "has no password", text: '{"username":"admin"}', error: /password is absent/, kind: CredentialSecretError },
    {
      what: "has a number for a password",
      text: '{"password":12345678}',
      error: /not a text/,
      kind: CredentialSecretError,
    },
    { what: "has an empty password", text: '{"password":""}', error: /empty/, kind: CredentialSecretError },
    {
      what: "is another user's",
      text: '{"username":"nurse","password":"canary"}',
      error: /another user/,
      kind: CredentialSecretError,
    },
    {
      what: "has a pending version that is not JSON",
      pendingText: "canary",
      error: /\(pending\): the text is not JSON/,
      kind: CredentialSecretError,
    },
    {
      what: "has a pending password that OpenEMR refuses",
      pendingText: '{"password":"canary"}',
      error: /pending version: it has 6 bytes/,
      kind: PasswordPolicyError,
    },
    {
      what: "would get a password that is too short",
      settings: { gbl_minimum_password_length: "99" },
      error: /asks for 99/,
      kind: PasswordPolicyError,
    },
    { what: "is too large", text: "x".repeat(100_000), error: /more than/, kind: SecretUnreadableError },
  ])("refuses a secret that $what, and changes nothing", async ({ text, pendingText, settings = {}, error, kind }) => {
    if (text !== undefined) await writeFile(clinic.file, text);
    if (pendingText !== undefined) await pending(pendingText);
    for (const [name, value] of Object.entries(settings)) await clinic.setting(name, value);
    const before = await clinic.everything();
    for (const work of [rotateAdmin, planAdminRotation]) {
      const refusal: unknown = await work(clinic.rotation).catch((thrown: unknown) => thrown);
      expect(refusal).toBeInstanceOf(kind);
      expect(`${refusal}`).toMatch(error);
      expect(inspect(refusal, { depth: 9 })).not.toMatch(/canary/i);
    }
    expect(await clinic.everything()).toEqual(before);
  });
});
