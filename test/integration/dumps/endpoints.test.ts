import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { assertDrillServer } from "@openemr-ops/dumps/steps/drillServer";
import { planRestore, restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessOf } from "../../support/database.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { aSite } from "../../support/sitesTree.ts";
import { tcpRelay } from "../../support/tcpRelay.ts";

const dumpUser = { user: "dumper", password: "dump-password" };
const restoreUser = { user: "restorer", password: "restore-password" };
const name = "clinic";

/** A schema with more rows than a pipe holds, users for it, and nothing else. */
const fill = async (server: MariaDb, more: readonly string[] = []): Promise<void> => {
  for (const statement of [
    `CREATE DATABASE ${name}`,
    `CREATE TABLE ${name}.visits (id int PRIMARY KEY, note text)`,
    `INSERT INTO ${name}.visits SELECT seq, REPEAT('x', 1000) FROM ${name}.seq_1_to_1000`,
    `CREATE USER ${dumpUser.user}@'%' IDENTIFIED BY '${dumpUser.password}'`,
    `GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON ${name}.* TO ${dumpUser.user}@'%'`,
    `GRANT SELECT ON mysql.proc TO ${dumpUser.user}@'%'`,
    `CREATE USER ${restoreUser.user}@'%' IDENTIFIED BY '${restoreUser.password}'`,
    `GRANT ALL PRIVILEGES ON ${name}.* TO ${restoreUser.user}@'%'`,
    `GRANT ALL PRIVILEGES ON \`${name}\\_%\`.* TO ${restoreUser.user}@'%'`,
    ...more,
  ])
    await server.query(statement);
};
const aFloatTable = [
  `CREATE TABLE ${name}.doses (id int PRIMARY KEY, dose float)`,
  `INSERT INTO ${name}.doses SELECT seq, seq / 7 FROM ${name}.seq_1_to_100`,
];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-endpoints-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("an endpoint that leads to several servers", () => {
  let servers: readonly MariaDb[];
  beforeAll(async () => {
    servers = await Promise.all(["one", "two"].map((each) => startMariaDb({ directory: join(directory, each) })));
    for (const server of servers) await fill(server);
  }, 60_000);
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const dumpThrough = async (targets: readonly MariaDb[], statements: readonly string[] = []): Promise<string> => {
    for (const statement of statements) for (const server of servers) await server.query(statement);
    const [first, ...rest] = targets;
    if (!first) throw new Error("no server");
    await using relay = await tcpRelay(first, ...rest);
    const chunks: Buffer[] = [];
    await dumpDatabase(
      accessOf({ host: "127.0.0.1", port: relay.port, name }, dumpUser),
      async (chunk) => void chunks.push(chunk),
      {
        mariadbDump: findTool("mariadb-dump") ?? "mariadb-dump",
        stallSeconds: 60,
        now: () => new Date(),
        signal: new AbortController().signal,
        progress: () => undefined,
      },
    );
    return Buffer.concat(chunks).toString();
  };

  it("is refused when the dump program meets another server than the program itself", async () => {
    await expect(dumpThrough(servers)).rejects.toMatchObject({
      name: "DatabaseServersDifferError",
      message: expect.stringMatching(/different servers.*database\.host/),
    });
  });

  it("is no reason to refuse when it leads to one server", async () => {
    expect(await dumpThrough(servers.slice(0, 1))).toContain("end of dump");
  });

  it("is no reason to refuse a schema that the dump program has read before anybody looks", async () => {
    const [one] = servers;
    if (!one) throw new Error("no server");
    await one.query(`DELETE FROM ${name}.visits`);
    for (let dump = 0; dump < 10; dump++) expect(await dumpThrough([one])).toContain("end of dump");
  });

  it("is refused when the lock for FLOAT columns is on another server than the rows", async () => {
    await expect(dumpThrough(servers, aFloatTable)).rejects.toMatchObject({ name: "DatabaseServersDifferError" });
  });
});

describe("a server that only reads", () => {
  let reader: MariaDb;
  let writer: MariaDb;
  const sitesPath = () => join(directory, "sites");
  const schemaOn = ({ host, port }: MariaDb) => ({ host, port, name, dumpUser, restoreUser });
  const contextOn = (restoring: MariaDb, place: string) =>
    contextFor({
      schema: schemaOn(reader),
      restoreHost: { host: restoring.host, port: restoring.port },
      sitesPath: sitesPath(),
      directory: join(directory, place),
      dumps: { format: "portable" },
    });
  beforeAll(async () => {
    await aSite(sitesPath());
    const place = join(directory, "reader");
    const before = await startMariaDb({ directory: place });
    await fill(before, [...aFloatTable, `REVOKE LOCK TABLES ON ${name}.* FROM ${dumpUser.user}@'%'`]);
    await before.stop();
    reader = await startMariaDb({ directory: place, extraArguments: ["--innodb-read-only"] });
    writer = await startMariaDb({ directory: join(directory, "writer") });
    await fill(writer);
  }, 60_000);
  afterAll(() => Promise.all([reader.stop(), writer.stop()]));

  it("is dumped by one session, for a lock there keeps no writer away", async () => {
    const { manifest } = await takeDump(await contextOn(writer, "one-session"));
    expect(manifest.database.tables.map(({ name: table, rows, exact }) => ({ table, rows, exact }))).toEqual([
      { table: "doses", rows: 100, exact: true },
      { table: "visits", rows: 1000, exact: true },
    ]);
    const restoring = await contextOn(writer, "one-session");
    const options = { dump: "latest", intoDatabase: `${name}_copy`, intoSites: join(directory, "copy") };
    expect(await restoreDump(restoring, options)).toMatchObject({ verdict: "passed" });
    expect(await writer.query(`SELECT COUNT(*) AS n FROM ${name}_copy.visits`)).toEqual([{ n: 1000 }]);
    expect(await drillDump(restoring, "latest")).toMatchObject({ verdict: "passed" });
  });

  describe.each([
    { what: "by innodb_read_only", on: () => reader, variable: "innodb_read_only" },
    { what: "by read_only", on: () => writer, variable: "read_only" },
  ])("$what", ({ on, variable }) => {
    beforeAll(async () => {
      await takeDump(await contextOn(writer, variable));
      if (variable === "read_only") await writer.query("SET GLOBAL read_only = 1");
    });
    afterAll(() => writer.query("SET GLOBAL read_only = 0"));
    const refused = {
      name: "TargetUnsuitableError",
      message: expect.stringMatching(new RegExp(`only reads \\(${variable}\\).*database\\.restore\\.host`)),
    };
    const beside = { dump: "latest", intoDatabase: `${name}_new`, intoSites: "/nowhere/new" };

    it("takes no restore, and is not asked for one", async () => {
      const context = await contextOn(on(), variable);
      await expect(planRestore(context, beside)).rejects.toMatchObject(refused);
      await expect(restoreDump(context, beside)).rejects.toMatchObject(refused);
      await expect(restoreDump(context, { dump: "latest", inPlace: true })).rejects.toMatchObject(refused);
    });

    it("takes no drill, and is not asked for one", async () => {
      const context = await contextOn(on(), variable);
      await expect(assertDrillServer(context)).rejects.toMatchObject(refused);
      await expect(drillDump(context, "latest")).rejects.toMatchObject(refused);
    });
  });
});
