import { withColumnChoices } from "@openemr-ops/exports/profiles/columnChoices";
import { deidentified } from "@openemr-ops/exports/profiles/deidentified";
import { full } from "@openemr-ops/exports/profiles/full";
import { describe, expect, it } from "vitest";
import { aTable } from "../../../support/schemaDescription.ts";

const tables = [
  aTable("forms", "id int(11)", "uuid binary(16)", "digest binary(20)", "active tinyint(1)", "level tinyint(4)"),
  aTable("scans", "id int(11)", "small tinyblob", "page longblob", "packed varbinary(40)"),
  aTable("thumbs", "picture mediumblob"),
];
const planned = (choices: Parameters<typeof withColumnChoices>[1]) => withColumnChoices(full(), choices).plan(tables);
const columnOf = (plan: ReturnType<typeof planned>, name: string) =>
  plan.tables.flatMap(({ columns }) => columns).find((column) => column.name === name);

describe("the choices of columns", () => {
  it("change nothing where none is made", () => {
    expect(planned({})).toEqual(full().plan(tables));
    expect(planned({ booleans: false, uuids: "bytes", blobs: "keep" })).toEqual(full().plan(tables));
    expect(withColumnChoices(full(), {}).name).toBe("full");
  });

  it("ask for booleans of tinyint(1) alone", () => {
    const plan = planned({ booleans: true });
    expect(columnOf(plan, "active")).toEqual({
      name: "active",
      boolean: true,
      treatment: "boolean where all values are 0 or 1",
    });
    const others = plan.tables.flatMap(({ columns }) => columns).filter(({ name }) => name !== "active");
    expect(others.filter(({ treatment }) => treatment !== "kept")).toEqual([]);
  });

  it("ask for the text of UUIDs of binary(16) alone", () => {
    const plan = planned({ uuids: "text" });
    expect(columnOf(plan, "uuid")).toMatchObject({ treatment: "UUID as text" });
    expect(columnOf(plan, "digest")).toEqual({ name: "digest", treatment: "kept" });
  });

  it("leave out blobs with the reason, and a table that has nothing else", () => {
    const plan = planned({ blobs: "drop" });
    const reason = 'a blob, and exports.database.blobs is "drop"';
    expect(plan.tables.find(({ table }) => table === "scans")).toMatchObject({
      columns: [{ name: "id" }, { name: "packed" }],
      dropped: [
        { name: "small", reason },
        { name: "page", reason },
      ],
    });
    expect(plan.skipped).toEqual([
      { table: "thumbs", reason: 'nothing of it leaves but blobs, and exports.database.blobs is "drop"' },
    ]);
  });

  it("leave pseudonyms, years and what else the profile changes as they are", () => {
    const profile = deidentified({ key: "0123456789abcdef".repeat(4), exportDate: new Date("2026-11-27") });
    const known = [aTable("patient_data", "pid binary(16)", "DOB tinyint(1)", "sex tinyint(1)", "fname longblob")];
    const [before, after] = [profile, withColumnChoices(profile, { booleans: true, uuids: "text", blobs: "drop" })].map(
      (one) => one.plan(known).tables[0],
    );
    expect(after?.columns.find(({ name }) => name === "pid")).toEqual(
      expect.objectContaining({ expression: "HEX(`pid`)", treatment: "pseudonym, subject patient" }),
    );
    expect(after?.columns.find(({ name }) => name === "sex")).toMatchObject({ boolean: true });
    expect(after?.dropped).toEqual(before?.dropped);
  });
});
