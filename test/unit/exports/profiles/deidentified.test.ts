import { deidentified } from "@openemr-ops/exports/profiles/deidentified";
import type { ExportedColumn } from "@openemr-ops/exports/profiles/profile";
import { columnsOf, knownTables } from "@openemr-ops/openemr/privacy/tableMap";
import { describe, expect, it } from "vitest";
import { aTable, describedBy } from "../../../support/schemaDescription.ts";
import { sharedPrivacyMap } from "../../../support/sharedPrivacyMap.ts";

const profile = deidentified({ key: "k".repeat(32), exportDate: new Date("2026-11-27T04:00:00Z") });
const columnOf = (column: string, ...others: readonly string[]): ExportedColumn | undefined => {
  const [table = "", ...rest] = column.split(".");
  return profile.plan([aTable(table, rest.join("."), ...others)]).tables[0]?.columns[0];
};
const reasonOf = (column: string): string | undefined => {
  const [table = "", ...rest] = column.split(".");
  // Columns that leave, so that the table does.
  const plan = profile.plan([aTable(table, rest.join("."), ..."pid id pc_eid".split(" ").map((id) => `${id} int`))]);
  return plan.tables[0]?.dropped[0]?.reason ?? plan.skipped[0]?.reason;
};

describe("the profile deidentified", () => {
  it.each(["", "short", "k".repeat(31)])("refuses the key %j, which could be found by trying", (key) => {
    expect(() => deidentified({ key, exportDate: new Date() })).toThrow(
      /^exports\.pseudonymKey: the key of pseudonyms is shorter than 32 characters/,
    );
  });

  it.each([
    ["patient_data.fname varchar(255)", "names"],
    ["patient_data.pubpid varchar(255)", "medical record numbers"],
    ["patient_data.city varchar(255)", "smaller than a state"],
    ["patient_data.county varchar(255)", "smaller than a state"],
    ["patient_data.provider_since_date tinytext", "a date as text"],
    ["patient_data.usertext1 varchar(255)", "free text"],
    ["documents.url varchar(255)", "web addresses and file names"],
    ["openemr_postcalendar_events.pc_startTime time", "bytes, or a time of day"],
    ["lists.udi varchar(255)", "numbers of devices"],
    ["users.password longtext", "contains or repeats a secret"],
  ])("drops %s and says why", (column, reason) => {
    expect(reasonOf(column)).toBe(reason);
  });

  it.each([
    ["patient_data.added_by_a_layout text", "not known to the map of this profile"],
    ["vendor_table.anything int", "not known to the map of this profile"],
    ["PATIENT_DATA.sex varchar(255)", "not known to the map of this profile"],
    ["patient_data.vendor_token text", "named like a secret"],
    ["pnotes.id bigint(20)", "messages to and about patients"],
    ["globals.gl_name varchar(63)", "settings of the whole system"],
    ["keys.id int", "a table of keys and credentials"],
  ])("denies %s", (column, reason) => {
    expect(reasonOf(column)).toBe(reason);
  });

  it("keeps codes, amounts and the state", () => {
    expect(columnOf("billing.code varchar(20)")).toEqual({ name: "code", treatment: "kept" });
    expect(columnOf("patient_data.state varchar(255)")).toEqual({ name: "state", treatment: "kept" });
  });

  it("lets no day leave, even of a column that a newer release makes one", () => {
    expect(columnOf("patient_data.sex datetime")?.treatment).toBe("year; 1936 means 1936 or earlier");
    expect(columnOf("users.date_created datetime")?.expression).toBe("GREATEST(NULLIF(YEAR(`date_created`), 0), 1936)");
  });

  it("lets no bytes leave, even of a column that a newer release makes so", () => {
    expect(reasonOf("patient_data.sex blob")).toBe("bytes, or a time of day");
  });

  it("joins numbers of patients whatever their columns are called", () => {
    const of = (column: string) => columnOf(column)?.transform?.(Buffer.from("12"));
    expect(of("billing.pid bigint(20)")).toBe(of("patient_data.pid bigint(20)"));
    expect(of("procedure_order.patient_id bigint(20)")).toBe(of("patient_data.pid bigint(20)"));
    expect(of("openemr_postcalendar_events.pc_pid varchar(11)")).toBe(of("patient_data.pid bigint(20)"));
    expect(of("patient_data.id bigint(20)")).not.toBe(of("patient_data.pid bigint(20)"));
    expect(of("billing.encounter int(11)")).toBe(of("form_encounter.encounter bigint(20)"));
    expect(of("billing.id int(11)")).not.toBe(of("payments.id bigint(20)"));
  });

  it("makes text of the bytes of a UUID before it makes a pseudonym", () => {
    expect(columnOf("patient_data.uuid binary(16)")?.expression).toBe("HEX(`uuid`)");
  });

  it("lets the ZIP code leave by country and state, as far as the table has them", () => {
    const zip = "patient_data.postal_code varchar(255)";
    expect(columnOf(zip)?.expression).toContain("WHEN '' IN (");
    expect(columnOf(zip, "country_code varchar(255)")?.expression).toContain(
      "UPPER(TRIM(COALESCE(`country_code`, '')))",
    );
    expect(columnOf(zip, "state varchar(255)")?.expression).toContain("UPPER(TRIM(COALESCE(`state`, '')))");
  });
});

describe("the first year that stays by itself", () => {
  const firstYearAt = (exportDate: string) =>
    deidentified({ key: "k".repeat(32), exportDate: new Date(exportDate) })
      .plan([aTable("patient_data", "DOB date")])
      .tables[0]?.columns[0]?.treatment.slice(6, 10);

  it.each([
    ["2026-11-27T04:00:00Z", "1936"],
    ["2026-01-01T00:00:00Z", "1936"],
    ["2024-02-29T12:00:00Z", "1934"],
    ["2026-12-31T09:59:59Z", "1936"],
    ["2026-12-31T10:00:00Z", "1937"], // it is already 2027 in the Pacific
  ])("at %s is %s", (exportDate, year) => {
    expect(firstYearAt(exportDate)).toBe(year);
  });
});

const shared = sharedPrivacyMap();
describe.each(shared ? [{ name: "the map beside this project", map: shared }] : [])("beside $name", ({ map }) => {
  const plan = profile.plan(describedBy(map));
  const leaving = plan.tables.flatMap(({ table, columns }) => columns.map((column) => ({ table, ...column })));

  it("decides on every table and column", () => {
    const decided = plan.tables.flatMap(({ table, columns, dropped }) =>
      [...columns, ...dropped].map(({ name }) => `${table}.${name}`),
    );
    const skipped = new Set(plan.skipped.map(({ table }) => table));
    const expected = map.columns
      .filter(({ table }) => !skipped.has(table))
      .map(({ table, column }) => `${table}.${column}`);
    expect(decided.toSorted()).toEqual(expected.toSorted());
    expect(plan.tables.length + plan.skipped.length).toBe(map.tables.size);
  });

  it("keeps no column as it is that is or may be an identifier", () => {
    const mapped = new Set(
      map.columns.filter(({ category }) => category !== "none").map(({ table, column }) => `${table}.${column}`),
    );
    const kept = leaving.filter(({ treatment }) => treatment === "kept").map(({ table, name }) => `${table}.${name}`);
    expect(kept.length).toBeGreaterThan(1000);
    expect(kept.filter((name) => mapped.has(name))).toEqual([]);
  });

  it("gives each column that may be an identifier a year, a pseudonym or three digits", () => {
    const mapped = map.columns.filter(({ category }) => category !== "none");
    const treatments = new Set(
      leaving
        .filter(({ table, name }) => mapped.some((one) => one.table === table && one.column === name))
        .map(({ treatment }) => treatment.split(/[;,]/)[0]),
    );
    expect(treatments).toEqual(new Set(["year", "pseudonym", "first three digits in the United States"]));
  });
});

it("the profile deidentified joins all columns of a subject, and none of different ones", () => {
  const ids = knownTables.flatMap(({ name, columns }) =>
    columns.flatMap((column) => {
      const meaning = columnsOf(name)?.get(column.toLowerCase());
      return meaning?.kind === "id" ? [{ column: `${name}.${column}`, subject: meaning.subject }] : [];
    }),
  );
  const pseudonyms = ids.map(({ column, subject }) => ({
    subject: subject === "own" ? column : subject,
    pseudonym: columnOf(`${column} bigint(20)`)?.transform?.(Buffer.from("12")),
  }));
  const bySubject = Map.groupBy(pseudonyms, ({ subject }) => subject);
  const different = [...bySubject.values()].map((same) => new Set(same.map(({ pseudonym }) => pseudonym)));
  expect(different.filter((set) => set.size !== 1)).toEqual([]);
  expect(new Set(pseudonyms.map(({ pseudonym }) => pseudonym)).size).toBe(bySubject.size);
  expect(bySubject.get("patient")?.length).toBeGreaterThan(90);
});

it("the profile deidentified has a treatment for every column of its map", () => {
  const tables = knownTables.map(({ name, columns }) =>
    aTable(name, ...columns.map((column) => `${column} varchar(255)`)),
  );
  const plan = profile.plan(tables);
  expect(plan.skipped.map(({ table, reason }) => `${table}: ${reason}`)).toEqual([]);
});
