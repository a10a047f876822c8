import { deidentified } from "@openemr-ops/exports/profiles/deidentified";
import { full } from "@openemr-ops/exports/profiles/full";
import type { Profile } from "@openemr-ops/exports/profiles/profile";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../support/database.ts";
import { describeTables, readPlanned } from "../support/exportPlan.ts";
import { runStatements } from "../support/runStatements.ts";

const anonymous = deidentified({
  key: "a key of pseudonyms, for tests only",
  exportDate: new Date("2026-11-27T04:00:00Z"),
});

let schema: FreshSchema;
beforeAll(async () => {
  schema = await freshSchema();
});
afterAll(() => schema.drop());

/** What leaves of one column, in the order of the rows. */
const leaves = async (
  profile: Profile,
  table: string,
  columns: string,
  column: string,
  rows: readonly string[],
): Promise<readonly (string | null | undefined)[]> => {
  await runStatements(schema, schema.name, [
    `DROP TABLE IF EXISTS ${table}`,
    `CREATE TABLE ${table} (n int PRIMARY KEY, ${columns})`,
    ...rows.map((row, n) => `INSERT INTO ${table} VALUES (${n}, ${row})`),
  ]);
  const plan = profile.plan(await describeTables(schema)).tables.find((one) => one.table === table);
  return plan ? (await readPlanned(schema, { ...plan, orderBy: "n" })).map((row) => row[column]) : [];
};

describe("a date", () => {
  it.each<readonly [date: string, year: string | null, who: string]>([
    ["'1936-11-26'", "1936", "90 since yesterday"],
    ["'1936-11-27'", "1936", "90 today"],
    ["'1936-11-28'", "1936", "89 until tomorrow, but born in a year of people of 90"],
    ["'1936-02-29'", "1936", "90, born on a leap day"],
    ["'1937-01-01'", "1937", "89"],
    ["'1921-05-04'", "1936", "105"],
    ["'2026-11-27'", "2026", "born today"],
    ["'1999-00-20'", "1999", "born in an unknown month"],
    ["'0000-00-00'", null, "unknown"],
    ["NULL", null, "unknown"],
  ])("of birth %s leaves as %s: %s", async (date, year) => {
    expect(await leaves(anonymous, "patient_data", "DOB date", "DOB", [date])).toEqual([year]);
  });

  it("of any other kind leaves as a year, an early one as that of people of 90", async () => {
    const rows = ["'2025-12-31 23:59:59'", "'1931-01-01 00:00:00'", "'0000-00-00 00:00:00'"];
    expect(await leaves(anonymous, "lists", "begdate datetime", "begdate", rows)).toEqual(["2025", "1936", null]);
  });
});

describe("a postal code", () => {
  it("leaves in three digits where country or state are those of the United States", async () => {
    const rows = [
      "'10001', 'USA', ''",
      "'10001-1234', ' us ', NULL",
      "'10001', '', 'ny'",
      "'10001', NULL, 'NY'",
      "'03601', 'USA', 'NH'",
      "'10115', 'DE', 'NY'",
      "'10115', '', 'Berlin'",
      "'10115', NULL, NULL",
      "'SW1A 1AA', 'USA', 'NY'",
      "NULL, 'USA', 'NY'",
    ];
    const columns = "postal_code varchar(255), country_code varchar(255), state varchar(255)";
    expect(await leaves(anonymous, "patient_data", columns, "postal_code", rows)).toEqual([
      ...["100", "100", "100", "100", "000"],
      ...[null, null, null, null, null],
    ]);
  });

  it("does not leave where neither country nor state is known", async () => {
    expect(await leaves(anonymous, "patient_data", "postal_code varchar(255)", "postal_code", ["'10001'"])).toEqual([
      null,
    ]);
  });
});

it("a measured value leaves, another text in its place does not", async () => {
  const values = ["20/40", "+1.25", "-.5", "180", "J1", "20/20-1", "CF", "HM", "4+"];
  const texts = ["John", "Li Wu", "see note", "1951-03-17", "555-1234", "4711-12", "123456", "12 Main St"];
  const rows = [...values, ...texts].map((value) => `'${value}'`);
  expect(await leaves(anonymous, "form_eye_acuity", "SCODVA varchar(25)", "SCODVA", rows)).toEqual([
    ...values,
    ...texts.map(() => null),
  ]);
});

it("a UUID leaves as a pseudonym of its bytes", async () => {
  const rows = ["X'00ff27'", "X'00FF27'", "X'00ff28'", "NULL"];
  const [one, same, other, none] = await leaves(anonymous, "patient_data", "uuid varbinary(16)", "uuid", rows);
  expect(one).toMatch(/^[0-9a-f]{32}$/);
  expect(same).toBe(one);
  expect(other).not.toBe(one);
  expect(none).toBeNull();
});

it("rows come in another order in each export, whatever the types of their numbers", async () => {
  await runStatements(schema, schema.name, [
    "DROP TABLE IF EXISTS users",
    "CREATE TABLE users (id bigint PRIMARY KEY, uuid binary(16), username varchar(60) CHARACTER SET latin1, facility_id int)",
    ...Array.from({ length: 30 }, (_, n) => `INSERT INTO users VALUES (${n}, X'ff${10 + n}', 'müller${n}', NULL)`),
  ]);
  const orderAt = async (exportDate: string) => {
    const plans = deidentified({ key: "k".repeat(32), exportDate: new Date(exportDate) }).plan(
      await describeTables(schema),
    );
    const plan = plans.tables.find(({ table }) => table === "users");
    return plan ? (await readPlanned(schema, plan)).map(({ id }) => id) : [];
  };
  const [one, again, other] = [await orderAt("2026-11-27"), await orderAt("2026-11-27"), await orderAt("2026-11-28")];
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
  expect(other.toSorted()).toEqual(one.toSorted());
});

it("a setting leaves full only where its name is on the list and its value looks like one", async () => {
  const rows = [
    "'gbl_time_zone', 'Europe/Zurich'",
    "'gbl_time_zone', 'a secret'",
    "'date_display_format', '1'",
    "'date_display_format', '0071234'",
    "'SMTP_PASS', '1'",
  ];
  const columns = "gl_name varchar(63), gl_value varchar(255)";
  expect(await leaves(full(), "globals", columns, "gl_value", rows)).toEqual(["Europe/Zurich", null, "1", null, null]);
});
