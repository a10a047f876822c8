import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import mysql from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshSchema } from "../support/database.ts";

describe("a MariaDB server of our own", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "mariadb-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("keeps its data over a stop and over a power cut", async () => {
    const first = await startMariaDb({ directory });
    await first.createSchema("kept");
    await first.query("CREATE TABLE kept.t (a INT PRIMARY KEY) ENGINE=InnoDB");
    await first.query("INSERT INTO kept.t VALUES (1)");
    await first.stop();
    const second = await startMariaDb({ directory });
    await second.query("INSERT INTO kept.t VALUES (?)", [2]);
    await second.kill();
    const third = await startMariaDb({ directory });

    expect(await third.query("SELECT a FROM kept.t ORDER BY a")).toEqual([{ a: 1 }, { a: 2 }]);
    await third.stop();
  });

  it("lets nobody in without the password, by TCP or by socket", async () => {
    const server = await startMariaDb({ directory });
    const { host, port, socket } = server;

    for (const way of [{ host, port }, { socketPath: socket }]) {
      await expect(mysql.createConnection({ ...way, user: "root" })).rejects.toThrow("Access denied");
    }
    await server.stop();
  });

  it("says what the server's log says when it cannot start", async () => {
    await expect(startMariaDb({ directory, extraArguments: ["--no-such-option=1"] })).rejects.toThrow("no-such-option");
  });

  it("offers TLS that a client can verify against our authority and no other", async () => {
    const { caFile, serverArguments } = makeTlsMaterial(join(directory, "tls"));
    const other = makeTlsMaterial(join(directory, "other"));
    const server = await startMariaDb({ directory, extraArguments: serverArguments });
    const { host, port, user, password } = server;

    const connection = await mysql.createConnection({
      host,
      port,
      user,
      password,
      ssl: { ca: await readFile(caFile) },
    });
    const [rows] = await connection.query("SHOW STATUS LIKE 'Ssl_version'");
    expect(rows).toEqual([{ Variable_name: "Ssl_version", Value: expect.stringMatching(/^TLSv1\.[23]$/) }]);
    await connection.end();
    await expect(
      mysql.createConnection({ host, port, user, password, ssl: { ca: await readFile(other.caFile) } }),
    ).rejects.toThrow(/certificate/);
    await server.stop();
  });
});

describe("a fresh schema", () => {
  it("gives the dump user the right to read and none to change", async () => {
    await using schema = await freshSchema();
    await schema.query("CREATE TABLE t (a INT)");
    await schema.query("INSERT INTO t VALUES (7)");
    const { host, port, name, dumpUser } = schema;
    const dump = await mysql.createConnection({ host, port, database: name, ...dumpUser });

    const [rows] = await dump.query("SELECT a FROM t");
    expect(rows).toEqual([{ a: 7 }]);
    await expect(dump.query("INSERT INTO t VALUES (8)")).rejects.toThrow("denied");
    await expect(dump.query("CREATE TABLE u (a INT)")).rejects.toThrow("denied");
    await dump.end();
  });

  it("lets the restore user make sibling schemas and nothing else, and takes them along when dropped", async () => {
    const schema = await freshSchema();
    const { host, port, name, restoreUser } = schema;
    const restore = await mysql.createConnection({ host, port, ...restoreUser });

    await restore.query(`CREATE DATABASE ${name}_restored`);
    await expect(restore.query(`CREATE DATABASE other_${name}`)).rejects.toThrow("denied");
    await restore.end();
    await schema.drop();
    await using witness = await freshSchema();
    expect(await witness.query("SHOW DATABASES LIKE ?", [`${name}%`])).toEqual([]);
  });
});
