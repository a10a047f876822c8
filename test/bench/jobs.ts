import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";

/**
 * Many jobs at once on many installations of one control plane, on this machine: a dump of each installation first, then
 * the rest of the jobs as checks, all started together. Real workflows, functions and containers; nothing may get lost.
 */
const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "200" },
    installations: { type: "string", default: "20" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write("npm run bench:jobs -- [--jobs 200] [--installations 20]\n");
  process.exit(0);
}
const count = Number(values.jobs);
const installations = Array.from({ length: Number(values.installations) }, (_, index) => `clinic-${index + 1}`);
const say = (text: string) => process.stderr.write(`${text}\n`);
const since = (began: number) => (performance.now() - began) / 1000;
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

const directory = mkdtempSync(join(tmpdir(), "bench-jobs-"));
try {
  let began = performance.now();
  await using place = await startHospitalCloud({ directory, installations, size: "tiny", say });
  const { cloud } = place;
  const start = since(began);

  began = performance.now();
  const asked = Array.from({ length: count }, (_, index) => ({
    installation: installations[index % installations.length] ?? "",
    kind: (index < installations.length ? "dump" : "check") as WorkflowKind,
  }));
  const run = async (jobs: typeof asked) => {
    const arns = jobs.map(({ kind, installation }) => cloud.start(place.machine(kind, installation), {}));
    return Promise.all(arns.map((arn) => cloud.waitForExecution(arn, 1_800_000)));
  };
  say(`${installations.length} dumps at once ...`);
  const dumps = await run(asked.slice(0, installations.length));
  const dumping = since(began);
  began = performance.now();
  say(`${count - dumps.length} checks at once ...`);
  const checks = await run(asked.slice(installations.length));
  const checking = since(began);
  await cloud.idle();

  const all = [...dumps, ...checks];
  const failed = all.filter(({ status }) => status !== "SUCCEEDED");
  const told = cloud.events().filter(({ detailType }) => detailType === "JobSucceeded");
  const names = new Set(told.map(({ detail }) => (detail as { jobId: string }).jobId));
  const crossed = told.filter(({ detail }) => {
    const { jobId, installation } = detail as { jobId: string; installation: string };
    const machine = all.find(({ name }) => name === jobId)?.machine.name ?? "";
    return machine !== place.machine("dump", installation) && machine !== place.machine("check", installation);
  });
  const answers = place.slack.seen.filter(({ body }) => "thread_ts" in body).length;
  const seconds = (of: typeof all) =>
    of.map(({ startedAt, stoppedAt }) => ((stoppedAt?.getTime() ?? 0) - startedAt.getTime()) / 1000);
  const rows: readonly (readonly [string, string])[] = [
    ["cloud started, stacks of all installations synthesised", `${start.toFixed(0)} s`],
    [`${dumps.length} dumps at once, each confirmed and followed by clearing`, `${dumping.toFixed(0)} s`],
    ["a dump, from start to told (median)", `${median(seconds(dumps)).toFixed(1)} s`],
    [`${checks.length} checks at once, of manifests and of the repository's own records`, `${checking.toFixed(0)} s`],
    ["jobs a minute", ((count / (dumping + checking)) * 60).toFixed(0)],
    ["jobs that did not succeed", String(failed.length)],
    ["jobs told of exactly once", `${names.size} of ${count}, ${told.length - names.size} twice`],
    ["results in Slack", String(answers)],
    ["events under a wrong installation", String(crossed.length)],
    ["messages that could not be delivered", String(cloud.deadLetters().length)],
  ];
  process.stdout.write(
    `\n${count} jobs on ${installations.length} installations; ${availableParallelism()} cores; ${new Date().toISOString().slice(0, 10)}\n\n` +
      ["| | |", "| --- | --- |", ...rows.map(([what, figure]) => `| ${what} | ${figure} |`)].join("\n") +
      "\n",
  );
  const lost = failed.length + crossed.length + (count - names.size) + Math.abs(count - answers);
  for (const { name, error, cause } of failed.slice(0, 5)) say(`${name}: ${error} ${cause}`);
  process.exitCode = lost === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
