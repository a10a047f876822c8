import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { fillDatabase, fillSites } from "./data.ts";
import { bytesBelow, measure } from "./measure.ts";

/**
 * Brings one file, one table and one patient back from the dump of a practice, and all of it, and counts the bytes that
 * restic reads meanwhile: from the repository, which is on the same disk, and of its own programs.
 */
const { values } = parseArgs({
  options: { "sql-mb": { type: "string", default: "512" }, files: { type: "string", default: "100000" } },
});
const size = { sqlMegabytes: Number(values["sql-mb"]), files: Number(values.files) };
const directory = mkdtempSync(join(tmpdir(), "bench-partial-"));
const at = (name: string) => join(directory, name);
const main = resolve(import.meta.dirname, "../../packages/cli/src/main.ts");
const say = (text: string) => process.stderr.write(`${text}\n`);
const megabytes = (value: number) => `${(value / 1e6).toFixed(1)} MB`;

/** Starts restic and notes what it read, which the system adds to its parent's count when it has ended. */
const countingRestic = (): string => {
  const restic = findTool("restic") ?? "restic";
  const script = `#!/bin/bash\n${restic} "$@"\ncode=$?\ngrep rchar /proc/$$/io >> ${at("read")}\nexit $code\n`;
  writeFileSync(at("restic"), script);
  chmodSync(at("restic"), 0o755);
  return at("restic");
};
const bytesRead = (): number =>
  [...readFileSync(at("read"), "utf8").matchAll(/rchar: (\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);

say(`making ${size.sqlMegabytes} MB of rows and ${size.files} files ...`);
const server = await startMariaDb({
  directory: at("server"),
  extraArguments: ["--innodb-buffer-pool-size=512M", "--innodb-log-file-size=256M", "--max-allowed-packet=64M"],
});
try {
  await fillDatabase(server, "openemr", size);
  for (const statement of [
    "CREATE TABLE openemr.patient_data (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, pid BIGINT UNIQUE, fname VARCHAR(255))",
    "INSERT INTO openemr.patient_data SELECT seq, seq, MD5(seq) FROM openemr.seq_1_to_20011",
    "CREATE TABLE openemr.documents (id INT NOT NULL PRIMARY KEY, type VARCHAR(20), url VARCHAR(255), path_depth TINYINT, storagemethod TINYINT, foreign_id BIGINT)",
    `INSERT INTO openemr.documents SELECT seq, 'file_url', CONCAT('file:///srv/sites/default/documents/', seq DIV 40, '/document-', seq, '.txt'), 1, 0, seq DIV 40
     FROM openemr.seq_1_to_${size.files - 1}`,
    "CREATE TABLE openemr.categories_to_documents (category_id INT NOT NULL, document_id INT NOT NULL, PRIMARY KEY (category_id, document_id))",
    "INSERT INTO openemr.categories_to_documents SELECT 1, id FROM openemr.documents",
  ])
    await server.query(statement);
  fillSites(at("sites"), "openemr", size);
  writeFileSync(at("db.password"), server.password, { mode: 0o600 });
  writeFileSync(at("repo.password"), "bench", { mode: 0o600 });
  const { host, port } = server;
  const config = {
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
        },
      },
    ],
  };
  writeFileSync(at("config.json"), JSON.stringify(config));
  const restic = countingRestic();
  const ops = (args: readonly string[]) =>
    measure(process.execPath, ["--max-semi-space-size=2", main, ...args, "--config", at("config.json"), "--json"], {
      OPENEMR_OPS_RESTIC: restic,
    });
  say("dump ...");
  await ops(["dump"]);
  const stored = bytesBelow(at("repository"));

  const table: string[][] = [];
  let number = 0;
  const run = async (name: string, args: readonly string[]) => {
    say(`${name} ...`);
    writeFileSync(at("read"), "");
    const { seconds, peakBytes, output } = await ops(args);
    const restored = (JSON.parse(output) as { rows?: number; files?: number }) ?? {};
    table.push([
      name,
      `${seconds.toFixed(1)} s`,
      megabytes(bytesRead()),
      `${restored.rows ?? 0}`,
      `${restored.files ?? 0}`,
      megabytes(peakBytes),
    ]);
  };
  const into = (...targets: readonly ("rows" | "files")[]) => {
    number++;
    return [
      ...(targets.includes("rows") ? ["--into-database", `part_${number}`] : []),
      ...(targets.includes("files") ? ["--into-sites", at(`part-${number}`)] : []),
    ];
  };
  const restore = ["restore", "--dump", "latest"];
  await run("one file listed", ["browse", "--files", "default/documents/7/document-285.txt"]);
  await run("all files listed", ["browse", "--files", "**"]);
  await run("one file", [...restore, "--files", "default/documents/7/document-285.txt", ...into("files")]);
  await run("one patient's directory", [...restore, "--files", "default/documents/7", ...into("files")]);
  await run("one table, first of the dump", [...restore, "--table", "categories_to_documents", ...into("rows")]);
  await run("one table, patient_data", [...restore, "--table", "patient_data", ...into("rows")]);
  await run("one patient", [...restore, "--patient", "7", ...into("rows", "files")]);
  await run("everything", [...restore, ...into("rows", "files")]);

  const head = ["restored", "time", "read by restic", "rows", "files", "our memory"];
  const lines = [head, head.map(() => "---"), ...table].map((cells) => `| ${cells.join(" | ")} |`);
  process.stdout.write(
    `\n${size.sqlMegabytes} MB of SQL, ${size.files} files, ${megabytes(stored)} in the repository; ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; ${new Date().toISOString().slice(0, 10)}\n\n${lines.join("\n")}\n`,
  );
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
