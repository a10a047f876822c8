import { full } from "@openemr-ops/exports/profiles/full";
import { describe, expect, it } from "vitest";
import { aTable, describedBy } from "../../../support/schemaDescription.ts";
import { sharedPrivacyMap } from "../../../support/sharedPrivacyMap.ts";

const columnsOf = (...tables: Parameters<typeof aTable>[]) => {
  const plan = full().plan(tables.map((table) => aTable(...table)));
  return {
    leaves: plan.tables.flatMap(({ table, columns }) => columns.map(({ name }) => `${table}.${name}`)),
    dropped: plan.tables.flatMap(({ table, dropped }) => dropped.map(({ name }) => `${table}.${name}`)),
    skipped: plan.skipped.map(({ table }) => table),
  };
};

describe("the profile full", () => {
  it("leaves patients as they are", () => {
    const { leaves, dropped } = columnsOf([
      "patient_data",
      "pid bigint(20)",
      "fname varchar(255)",
      "DOB date",
      "ss varchar(255)",
    ]);
    expect(leaves).toHaveLength(4);
    expect(dropped).toEqual([]);
  });

  it("lets tables and columns of modules leave, without what is named like a secret", () => {
    const plan = columnsOf(
      ["patient_data", "favourite_colour text", "portal_token text"],
      ["vendor_results", "id int", "result text", "api_secret text"],
      ["vendor_tokens", "id int", "value text"],
      ["vendor_settings", "name text", "value text"],
    );
    expect(plan).toEqual({
      leaves: ["patient_data.favourite_colour", "vendor_results.id", "vendor_results.result", "vendor_settings.name"],
      dropped: ["patient_data.portal_token", "vendor_results.api_secret", "vendor_settings.value"],
      skipped: ["vendor_tokens"],
    });
  });

  it("takes no secret for another table because of its case", () => {
    const plan = columnsOf(["KEYS", "id int", "name text", "value text"], ["Users", "id int", "Password text"]);
    expect(plan).toEqual({ leaves: ["Users.id"], dropped: ["Users.Password"], skipped: ["KEYS"] });
  });

  it.each([
    ["log", "comments"],
    ["api_log", "request_body"],
    ["claims", "submitted_claim"],
    ["email_queue", "body"],
    ["notification_log", "smsgateway_info"],
    ["user_settings", "setting_value"],
  ])("keeps %s and leaves out its column %s, which repeats secrets", (table, column) => {
    expect(columnsOf([table, "id int", `${column} text`])).toEqual({
      leaves: [`${table}.id`],
      dropped: [`${table}.${column}`],
      skipped: [],
    });
  });

  it("skips a table of which nothing may leave", () => {
    expect(columnsOf(["vendor_links", "token text"]).skipped).toEqual(["vendor_links"]);
  });

  it("leaves no value of globals where it cannot read the names", () => {
    expect(columnsOf(["globals", "setting int", "gl_value text"]).dropped).toEqual(["globals.gl_value"]);
  });
});

const shared = sharedPrivacyMap();
it.each(shared ? [{ name: "the map beside this project", map: shared }] : [])(
  "the profile full leaves no column that is a secret to $name",
  ({ map }) => {
    const plan = full().plan(describedBy(map));
    const plain = plan.tables.flatMap(({ table, columns }) =>
      columns.filter(({ expression }) => expression === undefined).map(({ name }) => `${table}.${name}`),
    );
    const secrets = map.secrets.map(({ table, column }) => `${table}.${column}`);
    expect(plain.filter((name) => secrets.includes(name))).toEqual([]);
    expect(plan.tables.length + plan.skipped.length).toBe(map.tables.size);
  },
);
