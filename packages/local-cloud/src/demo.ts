import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { namesOf } from "@openemr-ops/core/names";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { checkInvariant } from "@openemr-ops/local/application/checkInvariant";
import { startApplication } from "@openemr-ops/local/application/startApplication";
import { type HospitalCloud, hospitalStage, startHospitalCloud } from "./hospitalCloud.ts";

/**
 * The main job on a miniature hospital: built, used by a running application, dumped by a schedule of its own cloud,
 * confirmed, reported in Slack, rehearsed and restored. What is typed is what an operator types; everything lies in a
 * temporary directory.
 */
const main = resolve(import.meta.dirname, "../../cli/src/main.ts");
const directory = mkdtempSync(join(tmpdir(), "openemr-ops-demo-"));
const began = Date.now();
const say = (text: string) => process.stdout.write(`${text}\n`);
const step = (text: string) => say(`\n${((Date.now() - began) / 1000).toFixed(0).padStart(3)} s  ${text}`);
const summary: [string, string][] = [];

/** A command as a person would type it, in the directory of the configuration. */
const ops = (place: HospitalCloud, ...args: string[]): Promise<unknown> =>
  new Promise((settle, reject) => {
    step(`$ openemr-ops ${args.join(" ").replaceAll(directory, ".")}`);
    const child = spawn(process.execPath, [main, ...args, "--config", place.config, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...place.environment() },
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) settle(JSON.parse(output));
      else reject(new Error(`openemr-ops ${args[0]} ended with status ${code}: ${output}${errors}`));
    });
  });

/** What people read in Slack since the last look. */
let read = 0;
const readSlack = ({ slack }: HospitalCloud): void => {
  for (const { method, body } of slack.seen.slice(read))
    if (method === "chat.postMessage") say(`       Slack ${body.thread_ts ? "└ " : "  "}${String(body.text)}`);
  read = slack.seen.length;
};

/** Lets a schedule come due, and waits for the job that it starts. */
const fire = async (place: HospitalCloud, kind: WorkflowKind, dueAt: Date): Promise<string> => {
  const { cloud } = place;
  step(`the schedule of the ${kind} comes due`);
  await cloud.fireSchedule(`${namesOf(hospitalStage).scheduleGroup}/clinic-a-${kind}`, dueAt);
  const started = cloud.executions().at(-1);
  if (!started) throw new Error("the schedule started nothing");
  const { status, error, cause, name } = await cloud.waitForExecution(started.arn, 150_000);
  await cloud.idle();
  readSlack(place);
  if (status !== "SUCCEEDED") throw new Error(`the ${kind} ended as ${status}: ${error} ${cause}`);
  return name;
};

interface Recorded {
  readonly jobId: string;
  readonly kind: string;
  readonly status: string;
  readonly figures?: Readonly<Record<string, number>>;
}

try {
  await using place = await startHospitalCloud({ directory, say: step, cloud: { retryScale: 0.1 } });
  const { estate, server } = place;
  const rows = Object.values(estate.rows).reduce((sum, count) => sum + count, 0);
  const tables = Object.keys(estate.rows).length;
  summary.push(["hospital", `${tables} tables, ${rows} rows, ${estate.size.documents} documents`]);

  step("the application starts, and goes on writing patients' documents");
  const application = await startApplication({ sitesPath: estate.sitesPath });
  const writing = application.write();
  try {
    await fire(place, "dump", new Date("2026-11-20T01:30:00Z"));
    await fire(place, "dump", new Date("2026-11-21T01:30:00Z"));
  } finally {
    const { rounds } = await writing.stop();
    summary.push(["meanwhile", `the application wrote ${rounds} rounds of encounters, documents and log rows`]);
    await application.stop();
  }
  await fire(place, "drill", new Date("2026-11-22T03:00:00Z"));

  const jobs = (await ops(place, "jobs")) as readonly Recorded[];
  for (const { jobId, kind, status, figures } of jobs.toReversed())
    summary.push([kind, `${status}, ${figures?.rows} rows, ${figures?.files} files (job ${jobId})`]);

  const beside = { dump: "latest", intoDatabase: "restored", intoSites: join(directory, "restored") };
  await ops(place, "run", "restore", "--input", JSON.stringify(beside), "--wait");
  await place.cloud.idle();
  readSlack(place);
  const { host, port, user, password } = server;
  const login = { ...estate.applicationLogin, host, port, user, password, name: "restored" };
  const books = await checkInvariant(login, join(directory, "restored"));
  if (books.violations.length > 0)
    throw new Error(`the restored hospital is not whole: ${books.violations.join("; ")}`);
  summary.push([
    "restore",
    `every row and file compared; the application's books balance after ${books.rounds} rounds and ${books.documentsRead} documents open`,
  ]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const width = Math.max(...summary.map(([what]) => what.length));
say(`\n${"-".repeat(72)}`);
for (const [what, outcome] of summary) say(`${what.padEnd(width)}  ${outcome}`);
say(`${"-".repeat(72)}\nAll of it in ${((Date.now() - began) / 1000).toFixed(0)} s. Nothing is left behind.`);
