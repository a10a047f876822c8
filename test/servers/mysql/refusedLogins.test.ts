import { DatabaseAccessDeniedError } from "@openemr-ops/core/errors";
import { connect } from "@openemr-ops/database/connection";
import { dumpText, namedTables } from "@openemr-ops/database/dumpText";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { findUnpacked } from "@openemr-ops/local/tools/debianPackages";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { mariaDb118OfDebian } from "@openemr-ops/local/tools/otherServers";
import { describe, expect, it } from "vitest";
import { accessOf, freshSchema } from "../../support/database.ts";

const clients = [
  { client: "10.11", mariadbDump: findTool("mariadb-dump") ?? "" },
  { client: "11.8", mariadbDump: findUnpacked(mariaDb118OfDebian, "mariadb-dump") ?? "" },
];
const ways = [
  ...clients.map(({ client, mariadbDump }) => ({
    by: `the dump program ${client}`,
    attempt: (access: Parameters<typeof connect>[0]) =>
      dumpText(access, "tables", namedTables(access, ["t"]), { mariadbDump, signal: new AbortController().signal }),
  })),
  {
    by: "the driver",
    attempt: async (access: Parameters<typeof connect>[0]) => {
      await using connection = await connect(access);
      return connection.rows("SELECT 1");
    },
  },
];

describe.each(ways)("a login by $by", ({ attempt }) => {
  it.each(["required", "verify"] as const)("comes about with TLS %s", async (tls) => {
    await using schema = await freshSchema();
    await schema.query("CREATE TABLE t (a INT PRIMARY KEY)");
    const { caFile, ...access } = accessOf(schema, schema.dumpUser);
    await attempt({ ...access, tls, ...(tls === "verify" ? { caFile } : {}) });
  });

  it.each(["required", "verify"] as const)(
    "says with TLS %s what the server says of a wrong password and a missing table",
    async (tls) => {
      await using schema = await freshSchema();
      const { caFile, ...access } = accessOf(schema, schema.dumpUser);
      const tried = { ...access, tls, ...(tls === "verify" ? { caFile } : {}) };
      await expect(attempt({ ...tried, password: async () => "wrong" })).rejects.toThrow(/Access denied for user/);
      await expect(attempt({ ...tried, password: async () => "wrong" })).rejects.toBeInstanceOf(
        DatabaseAccessDeniedError,
      );
    },
  );

  it("without TLS is refused as what it is, with the setting", async () => {
    await using schema = await freshSchema();
    const { caFile: _, ...access } = accessOf(schema, schema.dumpUser);
    const error: unknown = await attempt({ ...access, tls: "off" }).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(DatabaseAccessDeniedError);
    expect(String(error)).toMatch(/takes connections with TLS alone: set database\.tls to "required" or "verify"/);
  });

  it.each([
    { state: "PASSWORD EXPIRE", said: /password .*has expired.*set a new one/ },
    { state: "ACCOUNT LOCK", said: /account is locked.*ALTER USER/ },
  ])("of a user with $state is refused as what it is", async ({ state, said }) => {
    await using schema = await freshSchema();
    await schema.query(`ALTER USER ${sqlName(schema.dumpUser.user)}@'%' ${state}`);
    const error: unknown = await attempt(accessOf(schema, schema.dumpUser)).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(DatabaseAccessDeniedError);
    expect(String(error)).toMatch(said);
  });
});

it("says which table is missing, with every client and TLS required", async () => {
  await using schema = await freshSchema();
  const { caFile: _, ...access } = accessOf(schema, schema.dumpUser);
  for (const { mariadbDump } of clients)
    await expect(
      dumpText({ ...access, tls: "required" }, "tables", namedTables(access, ["nosuch"]), {
        mariadbDump,
        signal: new AbortController().signal,
      }),
    ).rejects.toThrow(/nosuch/);
});
