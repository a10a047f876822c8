import type { ColumnMeaning } from "@openemr-ops/openemr/privacy/columnKinds";
import { isSecretName, isSecretTableName, isSettingsValue } from "@openemr-ops/openemr/privacy/secretNames";
import {
  harmlessSettings,
  isHarmlessSetting,
  secretColumnReason,
  secretTableReason,
} from "@openemr-ops/openemr/privacy/secrets";
import { columnsOf, knownTables } from "@openemr-ops/openemr/privacy/tableMap";
import { withheldReason } from "@openemr-ops/openemr/privacy/withheldTables";
import { describe, expect, it } from "vitest";
import { sharedPrivacyMap } from "../../support/sharedPrivacyMap.ts";

describe("names like those of secrets", () => {
  it.each([
    ..."password passwd db_passwd userPwd pwd smtpPass2 pass SMTP_PASS apiKey api_key apikey x_apikey private_key".split(
      " ",
    ),
    ..."secret client_secret clientSecret token refreshToken token_onetime credential credentials hash pin onetime_pin".split(
      " ",
    ),
    ..."salt session sessions session_data cert certificate totp otp webauthn_data jwks oauth_state encryption_key".split(
      " ",
    ),
    ..."reset_code verification_code transaction_key accessKey access_key signing_key cookie cvv".split(" "),
  ])("takes a column named %s for a secret", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    ..."shipping opinion spin_count compass passenger basalt keyboard primary_key meta_key description code diagnosis_code".split(
      " ",
    ),
    ..."certain concert date_created result sha status name value".split(" "),
  ])("takes a column named %s for none", (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  it("takes tables of credentials by their names", () => {
    expect(["vendor_credentials", "api_tokens", "fhir_oauth_state", "client_secrets"].every(isSecretTableName)).toBe(
      true,
    );
    expect(["therapy_sessions", "patients", "passengers", "codes"].some(isSecretTableName)).toBe(false);
  });

  it("takes values of settings for secrets, for a module keeps the password of its service there", () => {
    expect(isSettingsValue("telehealth_settings", "setting_value")).toBe(true);
    expect(isSettingsValue("fax_config", "data")).toBe(true);
    expect(isSettingsValue("fax_queue", "config")).toBe(true);
    expect(isSettingsValue("fax_settings", "setting_name")).toBe(false);
    expect(isSettingsValue("lab_results", "value")).toBe(false);
  });
});

describe("our own map", () => {
  it("has each column once", () => {
    const twice = knownTables.flatMap(({ name, columns }) => {
      const names = columns.map((column) => column.toLowerCase());
      return names.filter((column, index) => names.indexOf(column) !== index).map((column) => `${name}.${column}`);
    });
    expect(twice).toEqual([]);
  });

  it("has no table that is also withheld", () => {
    expect(knownTables.filter(({ name }) => withheldReason(name) || secretTableReason(name))).toEqual([]);
  });

  it("names the places of postal codes in columns that it has", () => {
    const places = knownTables.flatMap(({ name }) =>
      [...(columnsOf(name)?.values() ?? [])].flatMap((meaning) =>
        meaning.kind === "zip"
          ? [meaning.country, meaning.state].map((column) => columnsOf(name)?.get(column)?.kind)
          : [],
      ),
    );
    expect(places.length).toBeGreaterThan(0);
    expect(new Set(places)).toEqual(new Set(["none"]));
  });

  it("has judged these columns, which are named like secrets", () => {
    const named = knownTables.flatMap(({ name, columns }) =>
      columns.filter((column) => isSecretName(column)).map((column) => `${name}.${column}`),
    );
    expect(named.toSorted()).toEqual([
      "ar_activity.session_id",
      "ar_session.session_id",
      "documents.hash",
      "x12_partners.x12_token_endpoint",
    ]);
  });

  it("is found by the name that a server without upper case has, and not by another case", () => {
    expect(columnsOf("form_CAMOS")).toBeDefined();
    expect(columnsOf("form_camos")).toBe(columnsOf("form_CAMOS"));
    expect(columnsOf("FORM_camos")).toBeUndefined();
    expect(columnsOf("Patient_Data")).toBeUndefined();
  });
});

describe("secrets", () => {
  it("are denied in any case", () => {
    expect(secretTableReason("KEYS")).toBeDefined();
    expect(secretColumnReason("Users", "PASSWORD")).toBeDefined();
  });

  it("are none of the settings whose values leave", () => {
    const names = harmlessSettings.flatMap((group) => group.names);
    expect(names.filter((name) => isSecretName(name))).toEqual([]);
  });

  it("are distinguished from settings by name and by value", () => {
    expect(isHarmlessSetting("gbl_time_zone", "America/Argentina/Buenos_Aires")).toBe(true);
    expect(isHarmlessSetting("gbl_time_zone", "UTC")).toBe(true);
    expect(isHarmlessSetting("gbl_time_zone", "correct horse")).toBe(false);
    expect(isHarmlessSetting("SMTP_PASS", "UTC")).toBe(false);
  });

  it.each(harmlessSettings)("do not look like the value of a harmless setting: $looksLike", ({ looksLike }) => {
    const pattern = new RegExp(looksLike, "i");
    for (const secret of ["hunter2", "007AAAA==", "CANARY-1-globals", "correct horse", "12345678", "key/with/slashes"])
      expect(pattern.test(secret)).toBe(false);
  });
});

const shared = sharedPrivacyMap();
const sharedCases = shared ? [{ name: "the map beside this project", map: shared }] : [];

/** What the other map calls what. */
const categories: Readonly<Record<string, readonly ColumnMeaning["kind"][]>> = {
  names: ["names", "id"],
  geographic: ["geographic", "zip"],
  dates: ["dates", "birth"],
  phone: ["phone"],
  fax: ["fax"],
  email: ["email"],
  ssn: ["ssn"],
  mrn: ["mrn", "id"],
  health_plan_beneficiary: ["healthPlanBeneficiary"],
  account: ["account", "id"],
  certificate_license: ["certificateLicense"],
  device: ["device"],
  url: ["url"],
  ip_address: ["ipAddress"],
  biometric: ["biometric"],
  other_unique: ["otherUnique", "id"],
  free_text: ["freeText"],
};

describe.each(sharedCases)("our own map beside $name", ({ map }) => {
  const withheld = (table: string) => secretTableReason(table) ?? withheldReason(table);

  it("has a decision for every column", () => {
    const undecided = map.columns.filter(
      ({ table, column }) =>
        withheld(table) === undefined &&
        secretColumnReason(table, column) === undefined &&
        columnsOf(table)?.get(column.toLowerCase()) === undefined,
    );
    expect(undecided).toEqual([]);
  });

  it("names no table or column that does not exist", () => {
    const existing = new Set(map.columns.map(({ table, column }) => `${table}.${column}`));
    const named = knownTables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column}`));
    expect(named.filter((name) => !existing.has(name))).toEqual([]);
  });

  it("denies every secret column", () => {
    expect(map.secrets.length).toBeGreaterThan(40);
    const open = map.secrets.filter(
      ({ table, column }) =>
        secretTableReason(table) === undefined &&
        secretColumnReason(table, column) === undefined &&
        `${table}.${column}` !== "globals.gl_value", // which the profiles treat value by value
    );
    expect(open).toEqual([]);
  });

  it("treats no column less strictly", () => {
    const laxer = map.columns.filter(({ table, column, category }) => {
      const meaning = columnsOf(table)?.get(column.toLowerCase());
      if (meaning === undefined || category === "none") return false;
      return !categories[category]?.includes(meaning.kind);
    });
    expect(laxer).toEqual([]);
  });

  it("withholds every table that is to be dropped", () => {
    const open = [...map.tables].filter(
      ([table, recommendation]) => recommendation === "drop" && withheld(table) === undefined,
    );
    expect(open).toEqual([]);
  });
});
