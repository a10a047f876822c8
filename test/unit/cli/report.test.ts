import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DestinationMissingError, JobAbortedError, ResidencyError } from "@openemr-ops/core/errors";
import { renderReport } from "@openemr-ops/report/renderReport";
import type { Report } from "@openemr-ops/report/report";
import { expect, it } from "vitest";
import { anUnreachableStore, aSurvey, aYear, surveyedAt } from "../../support/aSurvey.ts";
import { memoryOperations, runInMemory, type Steps } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, anInstallation, snapshotOf } from "../../support/configuration.ts";
import { memoryControlPlane } from "../../support/memoryControlPlane.ts";

const two = () =>
  aConfig(anInstallation(), {
    ...anInstallation({ id: "clinic-b" }),
    dumps: { ...anInstallation().dumps, destination: "s3://clinic-b/dumps" },
  });

const run = async (directory: string, args: readonly string[], steps: Partial<Steps> = {}) => {
  const config = join(directory, "c.json");
  await writeFile(config, JSON.stringify(two()));
  return runInMemory(["report", ...args, "--config", config], memoryOperations(steps), {
    cwd: directory,
    now: () => surveyedAt,
  });
};

it.each([
  ["--days 0", "--days: expected a whole number from 1 to 3660"],
  ["--days soon", "--days: expected a whole number from 1 to 3660"],
  ["--installation clinic-z", "clinic-z"],
  ["--out missing/report.html", "--out: its directory"],
  ["--out directory", "is no regular file"],
  ["--out link", "is no regular file"],
])("a report with %s is refused, and nothing is written", async (typed, says) => {
  await using directory = await aConfigDirectory();
  await symlink("/dev/null", join(directory.path, "link"));
  await writeFile(join(directory.path, "c.json"), JSON.stringify(two()));
  const before = await snapshotOf(directory.path).then((all) => all.filter((line) => !/c\.json|^\. /.test(line)));
  const { exitCode, stderr } = await run(directory.path, typed.split(" "));
  expect(exitCode).toBe(2);
  expect(stderr).toContain(says);
  const after = await snapshotOf(directory.path).then((all) => all.filter((line) => !/c\.json|^\. /.test(line)));
  expect(after).toEqual(before);
});

it("a report is one document, and the page is made of it alone", async () => {
  await using directory = await aConfigDirectory();
  const { exitCode, stdout } = await run(directory.path, ["--json", "--out", "r.html", "--days", "365"], {
    survey: async ({ installation: { id } }) => (id === "clinic-a" ? aYear() : aSurvey({ installation: id })),
  });
  expect(exitCode).toBe(0);
  const document = JSON.parse(stdout) as Report;
  expect(document.installations.map(({ installation }) => installation)).toEqual(["clinic-a", "clinic-b"]);
  expect(document).toMatchObject({ version: 1, complete: true, generatedAt: surveyedAt.toISOString() });
  const page = await readFile(join(directory.path, "r.html"), "utf8");
  expect(page).toBe(renderReport(document));
});

it("a report replaces the page before it whole, for its owner alone, and leaves nothing beside it", async () => {
  await using directory = await aConfigDirectory();
  const file = join(directory.path, "r.html");
  await writeFile(file, "before", { mode: 0o644 });
  const before = await readdir(directory.path);
  await run(directory.path, ["--out", "r.html"]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, "utf8")).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  expect((await readdir(directory.path)).filter((name) => name !== "c.json")).toEqual(before);
});

it("a report ends with 4 where something could not be read, and is written all the same", async () => {
  await using directory = await aConfigDirectory();
  const { exitCode, stdout } = await run(directory.path, ["--out", "r.html"], {
    survey: async ({ installation: { id } }) =>
      id === "clinic-b" ? anUnreachableStore(id) : aSurvey({ installation: id }),
  });
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/clinic-a +2026-11-27 02:15:00Z +in order +0\n/);
  expect(stdout).toMatch(/clinic-b +could not be read +1 failed +2\n/);
  expect(stdout).toContain(`Written to ${join(directory.path, "r.html")}\n`);
  expect(await readFile(join(directory.path, "r.html"), "utf8")).toContain("Some data could not be read.");
});

it("a report without --out shows what needs attention, and how it becomes a page", async () => {
  await using directory = await aConfigDirectory();
  const before = await readdir(directory.path);
  const { exitCode, stdout } = await run(directory.path, ["--installation", "clinic-a"], {
    survey: async () => aYear(),
  });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/clinic-a +failed +check +overdue since 2026-11-22 04:00:00Z\n/);
  expect(stdout).not.toContain("clinic-b");
  expect(stdout).toContain("--out report.html writes it as a page.");
  expect((await readdir(directory.path)).filter((name) => name !== "c.json")).toEqual(before);
});

it("a report that somebody stops writes nothing", async () => {
  await using directory = await aConfigDirectory();
  const { exitCode } = await run(directory.path, ["--out", "r.html"], {
    survey: () => Promise.reject(new JobAbortedError("stopped")),
  });
  expect(exitCode).toBe(4);
  expect(await readdir(directory.path)).not.toContain("r.html");
});

it("a report reads the records of a stage where one is named, and this machine's otherwise", async () => {
  await using directory = await aConfigDirectory();
  const plane = memoryControlPlane();
  const asked: string[] = [];
  const config = await directory.write(two());
  const base = memoryOperations();
  const operations = {
    ...base,
    survey: (place: Parameters<typeof base.survey>[0]) => {
      asked.push(place.history === plane.ledger ? "stage" : String(place.history));
      return base.survey(place);
    },
  };
  const changes = {
    openControlPlane: async (stage: string) => {
      asked.push(stage);
      return { ledger: plane.ledger, executions: { find: () => Promise.reject(), start: () => Promise.reject() } };
    },
  };
  const { stdout } = await runInMemory(
    ["report", "--json", "--stage", "staging", "--installation", "clinic-a", "--config", config],
    operations,
    changes,
  );
  expect(asked).toEqual(["staging", "stage"]);
  expect(JSON.parse(stdout)).toMatchObject({ records: "the control plane's, stage staging" });
  await runInMemory(["report", "--json", "--installation", "clinic-a", "--config", config], operations, changes);
  expect(asked.slice(2)).toEqual(["undefined"]);
});

it("a report beside the dumps is on one installation alone", async () => {
  await using directory = await aConfigDirectory();
  const stored: (readonly [string, Report])[] = [];
  const { exitCode, stderr } = await run(directory.path, ["--to-destination"], {
    survey: async ({ installation: { id } }) =>
      id === "clinic-b" ? anUnreachableStore(id) : aSurvey({ installation: id }),
    storeReport: async ({ installation: { id } }, document) => {
      if (id === "clinic-b") throw new DestinationMissingError("no dump is there");
      stored.push([id, document]);
      return { page: `s3://dumps/reports/${id}/2026-11-27.html`, bytes: 1 };
    },
  });
  expect(exitCode).toBe(4);
  expect(stored).toMatchObject([["clinic-a", { complete: true, installations: [{ installation: "clinic-a" }] }]]);
  expect(stderr).toContain("s3://dumps/reports/clinic-a/2026-11-27.html");
  expect(stderr).toContain("the report of clinic-b is not stored beside its dumps: DestinationMissingError");
});

it("a report that cannot be stored says where and why, and is printed all the same", async () => {
  await using directory = await aConfigDirectory();
  const { exitCode, stdout, stderr } = await run(directory.path, ["--to-destination", "--json"], {
    storeReport: ({ installation: { id } }) =>
      id === "clinic-a"
        ? Promise.reject(new ResidencyError("it is in us-east-1"))
        : Promise.resolve({ page: "s3://b/r.html", bytes: 1 }),
  });
  expect(exitCode).toBe(4);
  expect((JSON.parse(stdout) as Report).complete).toBe(true);
  expect(stderr).toContain("the report of clinic-a is not stored beside its dumps: ResidencyError: it is in us-east-1");
  expect(stderr).toContain("s3://b/r.html");
});
