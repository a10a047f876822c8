import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { fillSites } from "./data.ts";
import { type Measured, measure } from "./measure.ts";

/**
 * Dumps, drills and restores a table with FLOAT and a few huge rows, which our process writes itself, and prints the most
 * memory that the process had. Fails where that is above the limit.
 */
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "250" },
    "row-mb": { type: "string", default: "10" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write("npm run bench:memory -- [--rows 250] [--row-mb 10]\n");
  process.exit(0);
}
const [rows, rowMegabytes] = [Number(values.rows), Number(values["row-mb"])];
/** Holds for every shape of table. */
const limitBytes = 256 * 2 ** 20;
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const directory = mkdtempSync(join(tmpdir(), "bench-memory-"));
const at = (name: string) => join(directory, name);
const main = resolve(import.meta.dirname, "../../packages/cli/src/main.ts");

const server = await startMariaDb({ directory: at("server"), extraArguments: ["--innodb-log-file-size=512M"] });
try {
  process.stderr.write(`making ${rows} rows of ${rowMegabytes} MB ...\n`);
  await server.createSchema("openemr");
  const run = (sql: string) => server.query(sql.replaceAll("@@", "`openemr`."));
  await run("CREATE TABLE @@version (v_major INT, v_minor INT, v_patch INT, v_realpatch INT, v_tag VARCHAR(31))");
  await run("INSERT INTO @@version VALUES (8,1,0,0,'')");
  await run("CREATE TABLE @@scans (id INT NOT NULL PRIMARY KEY, weight FLOAT, scan LONGBLOB, words LONGTEXT)");
  // Bytes that need an escape, and each row another, so that neither restic nor a page is spared one.
  const half = (rowMegabytes * 1e6) / 2;
  for (let id = 1; id <= rows; id++)
    await run(
      `INSERT INTO @@scans VALUES (${id}, ${id} / 7, REPEAT(UNHEX(SHA2(${id}, 512)), ${Math.ceil(half / 64)}), REPEAT(CONCAT(SHA2(-${id}, 512), '''\\\\\\n'), ${Math.ceil(half / 131)}))`,
    );
  fillSites(at("sites"), "openemr", { sqlMegabytes: 0, files: 100 });
  writeFileSync(at("db.password"), server.password, { mode: 0o600 });
  writeFileSync(at("repo.password"), "bench", { mode: 0o600 });
  const { host, port } = server;
  const config = {
    stateDirectory: at("state"),
    installations: [
      {
        id: "bench",
        platform: { kind: "host" },
        database: { host, port, name: "openemr", user: "root", passwordFile: "db.password", tls: "off" },
        sites: { path: at("sites") },
        dumps: {
          destination: `file://${at("repository")}`,
          passwordFile: "repo.password",
          retention: { keepLast: 7 },
          drill: { directory: at("drills") },
        },
      },
    ],
  };
  writeFileSync(at("config.json"), JSON.stringify(config));

  const table: (readonly [job: string, measured: Measured])[] = [];
  const job = async (name: string, args: readonly string[]) => {
    process.stderr.write(`${name} ...\n`);
    const command = ["--max-semi-space-size=2", main, ...args, "--config", at("config.json"), "--json"];
    const environment = { OPENEMR_OPS_RESTIC: findTool("restic") ?? "restic" };
    table.push([name, await measure(process.execPath, command, environment)]);
  };
  await job("dump", ["dump"]);
  await job("drill", ["drill"]);
  await job("restore", ["restore", "--dump", "latest", "--into-database", "restored", "--into-sites", at("restored")]);

  const head = ["", "time", "peak of our process"];
  const lines = [
    head,
    head.map(() => "---"),
    ...table.map(([name, { seconds, peakBytes }]) => [name, `${seconds.toFixed(1)} s`, mebibytes(peakBytes)]),
  ].map((cells) => `| ${cells.join(" | ")} |`);
  const machine = `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  process.stdout.write(
    `\n${rows} rows of ${rowMegabytes} MB; ${machine}; ${new Date().toISOString().slice(0, 10)}\n\n${lines.join("\n")}\n`,
  );
  const above = table.filter(([, { peakBytes }]) => !(peakBytes > 0 && peakBytes <= limitBytes));
  if (above.length > 0) {
    process.stderr.write(`above ${mebibytes(limitBytes)}: ${above.map(([name]) => name).join(", ")}\n`);
    process.exitCode = 1;
  }
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
