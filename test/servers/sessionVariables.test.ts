import { connect } from "@openemr-ops/database/connection";
import { isKnownVariable } from "@openemr-ops/database/sessionVariables";
import { afterAll, beforeAll, expect, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema } from "../support/database.ts";

let schema: FreshSchema;
beforeAll(async () => {
  schema = await freshSchema();
});
afterAll(() => schema.drop());

/** All variables that a session has, and not the server alone. */
const sessionVariables = async (): Promise<readonly string[]> => {
  const all = await schema.query("SHOW SESSION VARIABLES");
  const names: string[] = [];
  for (const { Variable_name: name } of all)
    await schema.query(`SELECT @@SESSION.\`${name}\``).then(
      () => names.push(String(name)),
      (error: { readonly errno?: number }) => expect(error.errno, String(name)).toBe(1238), // the server's alone
    );
  return names;
};

it("knows of each session variable of the server whether a dump sets it, requires it, or need not heed it", async () => {
  const names = await sessionVariables();

  expect(names.length).toBeGreaterThan(150);
  expect(names.filter((name) => !isKnownVariable(name))).toEqual([]);
});

it("opens connections for the dump user with the values of its table", async () => {
  await using connection = await connect(accessOf(schema, schema.dumpUser));
  const now = await connection.rows(
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('sql_mode', 'sql_select_limit', 'time_zone', 'wait_timeout')",
  );

  expect(Object.fromEntries(now.map((row) => [row.Variable_name, row.Value]))).toEqual({
    sql_mode: "STRICT_ALL_TABLES",
    sql_select_limit: "18446744073709551615",
    time_zone: "+00:00",
    wait_timeout: "31536000",
  });
});
