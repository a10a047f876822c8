import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseUnavailableError, InvalidInputError, JobAbortedError } from "@openemr-ops/core/errors";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import type { Check } from "@openemr-ops/task/doctor/check";
import { clockSight } from "@openemr-ops/task/doctor/checks/databases";
import { loginChecks } from "@openemr-ops/task/doctor/checks/logins";
import { checkNames, ok, problem, warning } from "@openemr-ops/task/doctor/finding";
import { runChecks } from "@openemr-ops/task/doctor/runChecks";
import { describe, expect, it } from "vitest";
import { aConfig, anInstallation } from "../../support/configuration.ts";
import { placeFor } from "../../support/place.ts";

const aCheck = (changes: Partial<Check>): Check => ({
  name: "sites",
  field: "installations[0].sites.path",
  look: async () => ok("all is well"),
  ...changes,
});

const run = (checks: readonly Check[], signal = new AbortController().signal) =>
  runChecks(checks, { installation: "clinic-a", signal, progress: () => {}, broken: new Map() });

describe("the doctor's checks", () => {
  it("are made however many of them fail, and what needs a broken thing is not tried", async () => {
    const unavailable = async () => {
      throw new DatabaseUnavailableError("nobody answers");
    };
    const findings = await run([
      aCheck({ name: "database-server", field: "host", look: unavailable }),
      aCheck({ name: "dump-login", field: "password", after: ["database-server"] }),
      aCheck({ name: "dump-schema", field: "name", after: ["database-server", "dump-login"] }),
      aCheck({}),
    ]);
    expect(findings.map(({ check, status }) => [check, status])).toEqual([
      ["database-server", "problem"],
      ["dump-login", "not tried"],
      ["dump-schema", "not tried"],
      ["sites", "ok"],
    ]);
    expect(findings[0]).toMatchObject({ seen: "nobody answers", error: "DatabaseUnavailableError" });
  });

  it("are made after a warning, and after a check that was left out", async () => {
    const findings = await run([
      aCheck({ name: "dump-rights", look: async () => [ok("one"), warning("two", "change it")] }),
      aCheck({ name: "destination", leftOut: "left out: --dry-run writes no trial objects" }),
      aCheck({ name: "dump-plan", after: ["dump-rights", "destination"] }),
    ]);
    expect(findings.map(({ status }) => status)).toEqual(["ok", "warning", "not tried", "ok"]);
  });

  it("name the field that an error of the input names, or that the check explains it by", async () => {
    const fails = (error: Error) => async () => {
      throw error;
    };
    const [input, explained, own] = await run([
      aCheck({ look: fails(new InvalidInputError([{ path: "stateDirectory", message: "is odd" }])) }),
      aCheck({
        look: fails(new DatabaseUnavailableError("gone")),
        explain: () => ({ field: "port", next: "open it" }),
      }),
      aCheck({ look: async () => problem("broken", "repair it", "url") }),
    ]);
    expect(input).toMatchObject({ field: "stateDirectory", seen: "is odd" });
    expect(explained).toMatchObject({ field: "port", next: "open it" });
    expect(own).toMatchObject({ field: "url", next: "repair it" });
  });

  it("end after their time, each with a problem", async () => {
    const never = () => new Promise<never>(() => {});
    const [finding] = await run([aCheck({ seconds: 0.01, look: never })]);
    expect(finding).toMatchObject({ status: "problem", seen: "no answer within 0.01 s" });
  });

  it("stop at once when somebody stops the doctor", async () => {
    const stop = new AbortController();
    const running = run([aCheck({ look: () => new Promise<never>(() => stop.abort()) })], stop.signal);
    await expect(running).rejects.toThrow(JobAbortedError);
  });
});

it("a server is not called reached where the password is missing, and nothing was sent", async () => {
  const { database, ...rest } = anInstallation();
  const closed = { ...database, port: 1 };
  const place = placeFor({ config: aConfig({ ...rest, database: closed }), environment: {} }, "/nowhere");
  const findings = await run(loginChecks({ place, at: "installations[0]", write: false }).slice(0, 2));
  expect(findings).toMatchObject([
    {
      check: "database-server",
      status: "not tried",
      seen: "needs installations[0].database.passwordFile, which cannot be read",
    },
    {
      check: "dump-login",
      status: "problem",
      field: "installations[0].database.passwordFile",
      error: "InvalidInputError",
    },
  ]);
});

it("a server's clock that cannot be read is a warning", async () => {
  const now = () => new Date("2026-11-27T12:00:00Z");
  const clock = (t: string | null) => clockSight({ rows: async () => [{ t }] }, now, "host");
  expect(await clock(null)).toMatchObject([{ status: "warning", seen: expect.stringContaining("could not be read") }]);
  expect(await clock("2026-11-27 12:00:30.000")).toEqual([]);
});

describe("docs/doctor.md", () => {
  const page = readFileSync(join(repositoryRoot, "docs/doctor.md"), "utf8");

  it("has a row for each check, in the order of the report, and for no other", () => {
    const [, table = ""] = page.split("## The checks");
    const rows = [...table.matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name);
    expect(rows).toEqual([...checkNames]);
  });
});
