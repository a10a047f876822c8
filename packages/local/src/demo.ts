import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkInvariant } from "./application/checkInvariant.ts";
import { startApplication } from "./application/startApplication.ts";
import { buildEstate } from "./estate/buildEstate.ts";
import { startMariaDb } from "./servers/mariadb.ts";

/**
 * The main job on a miniature hospital: built, used by a running application, dumped twice, listed, checked, rehearsed,
 * restored and compared. Every step is the command that an operator types; everything lies in a temporary directory.
 */
const main = resolve(import.meta.dirname, "../../cli/src/main.ts");
const directory = mkdtempSync(join(tmpdir(), "openemr-ops-demo-"));
const at = (name: string) => join(directory, name);
const say = (text: string) => process.stdout.write(`${text}\n`);
const began = Date.now();
const summary: [string, string][] = [];

const ops = (...args: string[]): Promise<unknown> =>
  new Promise((settle, reject) => {
    const started = Date.now();
    say(`\n$ openemr-ops ${args.join(" ").replaceAll(directory, ".")}`);
    const child = spawn(process.execPath, [main, ...args, "--config", at("openemr-ops.config.json"), "--json"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) return reject(new Error(`openemr-ops ${args[0]} ended with status ${code}: ${output}`));
      say(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
      settle(JSON.parse(output));
    });
  });

interface Dump {
  readonly dumpId: string;
  readonly figures: Readonly<Record<string, number>>;
}
interface Verdict {
  readonly verdict: string;
  readonly keyProof: string;
  readonly rows: number;
  readonly files: number;
  readonly documents: number;
  readonly seconds: { readonly restore: number; readonly compare: number };
}
const megabytes = (bytes = 0) => `${(bytes / 1e6).toFixed(1)} MB`;

say("Starting a database server and building a miniature hospital (synthetic data, seed 42) ...");
const server = await startMariaDb({ directory: at("server") });
try {
  const { host, port, user, password } = server;
  const estate = await buildEstate({
    directory: at("estate"),
    database: { host, port, user, password, name: "openemr" },
    seed: "42",
    size: "small",
  });
  const rows = Object.values(estate.rows).reduce((sum, count) => sum + count, 0);
  summary.push([
    "hospital",
    `${Object.keys(estate.rows).length} tables, ${rows} rows, ${estate.size.documents} documents`,
  ]);

  mkdirSync(at("backups"));
  for (const [file, secret] of Object.entries({
    "dump.password": estate.dumpLogin.password,
    "restore.password": password,
    "repository.password": "only for the demo",
  }))
    writeFileSync(at(file), secret, { mode: 0o600 });
  const config = {
    installations: [
      {
        id: "clinic-a",
        platform: { kind: "host" },
        database: {
          ...{ host, port, name: "openemr", user: estate.dumpLogin.user, passwordFile: "dump.password", tls: "off" },
          restore: { user, passwordFile: "restore.password" },
        },
        sites: { path: estate.sitesPath },
        dumps: {
          ...{ format: "restic", destination: `file://${at("backups")}/clinic-a`, passwordFile: "repository.password" },
          retention: { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 7 },
          drill: { directory: at("drill") },
        },
      },
    ],
  };
  writeFileSync(at("openemr-ops.config.json"), JSON.stringify(config, null, 2));

  say("Starting the application; it goes on writing patients' documents while it is dumped ...");
  const application = await startApplication({ sitesPath: estate.sitesPath });
  const writing = application.write();
  try {
    const first = (await ops("dump")) as Dump;
    summary.push([
      "first dump",
      `${first.figures.rows} rows (${megabytes(first.figures.databaseBytes)} of SQL), ${first.figures.files} files, ${first.figures.seconds} s`,
    ]);
    const second = (await ops("dump")) as Dump;
    summary.push([
      "second dump",
      `${second.figures.rows} rows, ${second.figures.files} files, ${second.figures.seconds} s`,
    ]);
  } finally {
    const { rounds } = await writing.stop();
    summary.push(["meanwhile", `the application wrote ${rounds} rounds of encounters, documents and log rows`]);
    await application.stop();
  }

  await ops("check", "--level", "read-data");
  summary.push(["stored bytes", "all read back and sound"]);
  const drill = (await ops("drill", "--dump", "latest")) as Verdict;
  summary.push([
    "restore drill",
    `${drill.verdict}: ${drill.rows} rows equal, ${drill.files} files, ${drill.documents} documents found, keys ${drill.keyProof}; restored in ${drill.seconds.restore.toFixed(1)} s`,
  ]);
  const restored = (await ops(
    "restore",
    "--dump",
    "latest",
    "--into-database",
    "restored",
    "--into-sites",
    at("restored"),
  )) as Verdict;
  const invariant = await checkInvariant(
    { ...estate.applicationLogin, host, port, user, password, name: "restored" },
    at("restored"),
  );
  if (invariant.violations.length > 0)
    throw new Error(`the restored hospital is not whole: ${invariant.violations.join("; ")}`);
  summary.push([
    "restore",
    `${restored.verdict}; the application's books balance after ${invariant.rounds} rounds and ${invariant.documentsRead} documents open`,
  ]);
  const dumps = (await ops("dumps")) as { dumpId: string; complete: boolean; verified: { level: string } | null }[];
  for (const { dumpId, complete, verified } of dumps)
    summary.push([
      "listed",
      `${dumpId} ${complete ? "complete" : "not complete"}, verified by ${verified?.level ?? "nothing yet"}`,
    ]);
  const retention = (await ops("retention", "--dry-run")) as { keep: unknown[]; expire: unknown[] };
  summary.push(["retention", `would keep ${retention.keep.length} and remove ${retention.expire.length}`]);

  const width = Math.max(...summary.map(([what]) => what.length));
  say(`\n${"-".repeat(72)}`);
  for (const [what, outcome] of summary) say(`${what.padEnd(width)}  ${outcome}`);
  say(`${"-".repeat(72)}\nAll of it in ${((Date.now() - began) / 1000).toFixed(0)} s. Nothing is left behind.`);
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
