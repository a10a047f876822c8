import { PasswordPolicyError } from "@openemr-ops/core/errors";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import { type AuditEvent, auditChecksumRow, auditRow } from "@openemr-ops/openemr/auditRow";
import { bcryptCost, hashPassword, isOpenEmrHash, opens } from "@openemr-ops/openemr/passwordHash";
import { passwordPolicyIn, policyProblem } from "@openemr-ops/openemr/passwordPolicy";
import { describe, expect, it } from "vitest";
import { sharedVectors } from "../../support/sharedVectors.ts";

describe("a hash for OpenEMR", () => {
  it("has the one form that OpenEMR accepts, and opens with its password alone", async () => {
    const made = await hashPassword("Pässwörd-1", 4);
    expect(made).toMatch(/^\$2y\$04\$.{53}$/);
    expect([isOpenEmrHash(made), bcryptCost(made)]).toEqual([true, 4]);
    expect(await opens("Pässwörd-1", made)).toBe(true);
    expect(await opens("Passwörd-1", made)).toBe(false);
    expect(await hashPassword("Pässwörd-1", 4)).not.toBe(made);
  });

  it.each([
    ["nothing", ""],
    ["73 bytes", "a".repeat(73)],
    ["37 letters of two bytes", "ä".repeat(37)],
    ["a NUL", "a\0b"],
  ])("is not made of %s", async (_what, password) => {
    await expect(hashPassword(password, 4)).rejects.toThrow(PasswordPolicyError);
  });

  it("that would take minutes to try is not tried", async () => {
    const known = "$2y$04$AHAM2chUZnXHPcj0Po7.7.FhWGnNjc.MNiWBaWaHL9kZRVUsj5P3O";
    expect(await opens("x", known.replace("$04$", "$31$"))).toBe("unknown");
    expect(await opens("x", `$6$rounds=999999999$abc$${"a".repeat(86)}`)).toBe("unknown");
    expect(await opens("x", "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$AAAAAAAA")).toBe("unknown");
  });
});

describe("OpenEMR's rules for passwords", () => {
  const policy = passwordPolicyIn(new Map());

  it.each([
    ["aB3!aB3!", /has 8 bytes, and the setting gbl_minimum_password_length asks for 9/],
    ["AB3!AB3!AB", /small letter/],
    ["ab3!ab3!ab", /capital letter/],
    ["abC!abC!ab", /digit/],
    ["abC3abC3ab", /neither letter nor digit/],
    [`${"aB3!".repeat(18)}x`, /73 bytes/],
  ])("refuse %s and name the rule", (password, rule) => {
    expect(policyProblem(password, policy)).toMatch(rule);
    expect(policyProblem(password, policy)).not.toContain(password);
  });

  it("take what this program makes, letters of two bytes by their bytes, and settings as they are", () => {
    expect(policyProblem(newPassword(), policy)).toBeUndefined();
    expect(policyProblem("aB3!ääö", policy)).toBeUndefined(); // 7 letters, 10 bytes
    expect(policyProblem("abc_ABC_123", policy)).toBeUndefined();
    const settings = { gbl_minimum_password_length: "0", gbl_maximum_password_length: "20", secure_password: "0" };
    const own = passwordPolicyIn(new Map(Object.entries(settings)));
    expect(policyProblem("a", own)).toBeUndefined();
    expect(policyProblem("a".repeat(21), own)).toMatch(/gbl_maximum_password_length allows 20/);
    expect(passwordPolicyIn(new Map([["password_history", "0"]])).history).toBe(0);
  });
});

const event: AuditEvent = {
  date: "2026-03-04 05:06:07",
  event: "password-change",
  category: "password-change",
  user: "admin",
  groupname: "Default",
  comment: "a comment",
  success: true,
};

it("the checksum of an audit row changes with every value of it", () => {
  const changed: readonly Partial<AuditEvent>[] = [
    { date: "2026-03-04 05:06:08" },
    ...(["event", "category", "user", "groupname", "comment"] as const).map((field) => ({ [field]: "other" })),
    { success: false },
    { patientId: 7 },
  ];
  const sums = [event, ...changed].map((one) => auditChecksumRow(auditRow({ ...event, ...one }), "1").checksum);
  expect(new Set(sums).size).toBe(1 + changed.length);
});

interface PasswordVectors {
  passwords: Record<string, { b64: string; bytes: number }>;
  hashes: {
    config: string;
    password: string;
    hash: string;
    hash_valid: boolean;
    verify: boolean;
    verify_wrong_password_appended_x: boolean;
  }[];
  foreign_forms: {
    form: string;
    password: string;
    hash: string;
    hash_valid: boolean;
    openemr_login_would_pass: boolean;
  }[];
  edge: { case: string; password_b64: string; hash?: string; verify?: boolean; throws?: string }[];
  bcrypt_72_byte_limit: { config: string; hash_of: string; verify_with_len73_same_72: boolean }[];
}
const vectors = sharedVectors<PasswordVectors>("passwords.json");

const whatOpenEmrFinds =
  ({ passwords, hashes, foreign_forms, edge, bcrypt_72_byte_limit }: PasswordVectors) =>
  () => {
    const text = (name: string) => Buffer.from(passwords[name]?.b64 ?? "", "base64").toString();
    it.each(hashes)(
      "of $hash",
      async ({ config, password, hash, hash_valid, verify, verify_wrong_password_appended_x }) => {
        expect(isOpenEmrHash(hash)).toBe(hash_valid);
        expect(await opens(text(password), hash)).toBe(verify);
        if (config.endsWith("_default") || config.endsWith("_100000") || config === "bcrypt_12") return; // takes long
        expect(await opens(`${text(password)}x`, hash)).toBe(verify_wrong_password_appended_x);
      },
    );
    it.each(foreign_forms)("of $form", async ({ password, hash, hash_valid, openemr_login_would_pass }) => {
      expect(isOpenEmrHash(hash)).toBe(hash_valid);
      expect(await opens(text(password), hash)).toBe(openemr_login_would_pass);
    });
    it.each(edge)("of the password that is $case", async ({ password_b64, hash }) => {
      const password = Buffer.from(password_b64, "base64").toString();
      await expect(hashPassword(password, 4)).rejects.toThrow(PasswordPolicyError);
      if (hash) expect(await opens(password, hash)).toBe(false);
    });
    it.each(bcrypt_72_byte_limit)(
      "of 73 bytes with $config",
      async ({ config, hash_of, verify_with_len73_same_72 }) => {
        const { hash = "" } = hashes.find((one) => one.config === config && one.password === hash_of) ?? {};
        expect(await opens(text("len73_same_72"), hash)).toBe(verify_with_len73_same_72);
        await expect(hashPassword(text("len73_same_72"), 4)).rejects.toThrow(/73 bytes/);
      },
    );
  };
if (vectors) describe("what OpenEMR itself makes of a hash", whatOpenEmrFinds(vectors));

interface AuditVectors {
  vectors: { comment_plain: string; inserts: { table: string; row: Record<string, string | number | null> }[] }[];
}
const audit = sharedVectors<AuditVectors>("audit.json");
const whatOpenEmrWrites =
  ({ vectors: rows }: AuditVectors) =>
  () => {
    it.each(rows)("of $comment_plain", ({ comment_plain, inserts: [log, checksum] }) => {
      const row = log?.row ?? {};
      const text = (name: string) => `${row[name]}`;
      const made = auditRow({
        date: text("date"),
        event: text("event"),
        category: text("category"),
        user: text("user"),
        groupname: text("groupname"),
        comment: comment_plain,
        success: row.success === 1,
        ...(typeof row.patient_id === "number" ? { patientId: row.patient_id } : {}),
      });
      expect(made).toEqual(row);
      expect(Object.keys(made)).toEqual(Object.keys(row));
      expect(auditChecksumRow(made, "4711")).toEqual(checksum?.row);
    });
  };
if (audit) describe("what OpenEMR itself writes into its audit log", whatOpenEmrWrites(audit));
