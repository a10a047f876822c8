import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobLedger } from "@openemr-ops/core/jobs";
import { programs } from "@openemr-ops/task/programs/index";
import { storeReport } from "@openemr-ops/task/storeReport";
import { describe, expect, it } from "vitest";
import { aReport } from "../../support/aReport.ts";
import {
  aDumpJob,
  aNewInstallation,
  anUnreachableStore,
  aSurvey,
  aSurveyedDump,
  surveyedAt,
} from "../../support/aSurvey.ts";
import { aConfig, aConfigDirectory, anInstallation } from "../../support/configuration.ts";
import { memoryJobLedger } from "../../support/memoryJobLedger.ts";
import { placeFor } from "../../support/place.ts";

const page = "reports/clinic-a/2026-11-27.html";
const request = { version: 1, kind: "report", dryRun: false } as const;

/** A clinic whose dumps go to a directory beside its configuration. */
const aPlace = (directory: string, dumps: object = {}) => ({
  ...placeFor(
    {
      config: aConfig({
        ...anInstallation(),
        dumps: { ...anInstallation().dumps, destination: `file://${directory}/dumps`, ...dumps },
      } as never),
      environment: { AWS_REGION: "eu-central-1" },
    },
    directory,
  ),
  now: () => surveyedAt,
});

describe("a page beside the dumps", () => {
  it("is stored under its day; a second one of the day replaces it", async () => {
    await using directory = await aConfigDirectory();
    const place = aPlace(directory.path);
    const stored = await storeReport(place, aReport([aSurvey()]));
    await storeReport(place, aReport([aSurvey()]));
    expect(stored).toEqual({ page: `file://${directory.path}/dumps/${page}`, bytes: expect.any(Number) });
    const text = await readFile(join(directory.path, "dumps", page), "utf8");
    expect(text).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(Buffer.byteLength(text)).toBe(stored.bytes);
    expect(await readdir(join(directory.path, "dumps/reports/clinic-a"))).toEqual(["2026-11-27.html"]);
  });

  it.each([
    ["no dump is", [aNewInstallation("clinic-a")], /no dump of clinic-a is at file:/],
    ["the dumps could not be read", [anUnreachableStore("clinic-a")], /it could not be read: Destination/],
  ])("is not stored where %s", async (_, surveys, says) => {
    await using directory = await aConfigDirectory();
    await mkdir(join(directory.path, "dumps"));
    await expect(storeReport(aPlace(directory.path), aReport(surveys))).rejects.toMatchObject({
      name: "DestinationMissingError",
      message: expect.stringMatching(says),
    });
    expect(await readdir(join(directory.path, "dumps"))).toEqual([]);
  });
});

describe("the job that reports", () => {
  const portable = { format: "portable", passwordFile: undefined };

  it("writes nothing in a dry run, and shows where the page would be", async () => {
    await using directory = await aConfigDirectory();
    await mkdir(join(directory.path, "dumps"));
    const place = aPlace(directory.path, portable);
    const { result, report } = await programs.report.plan(place, { ...request, dryRun: true });
    expect(result).toMatchObject({ dryRun: true, page });
    expect(report).toEqual({ figures: { dumps: 0, failures: 1, warnings: 0 }, result: { page } });
    expect(await readdir(join(directory.path, "dumps"))).toEqual([]);
  });

  it("reads the records of the control plane that it works for: a store that they remember is not new", async () => {
    await using directory = await aConfigDirectory();
    await mkdir(join(directory.path, "dumps"));
    const { list } = memoryJobLedger(() => surveyedAt);
    const destination = `file://${directory.path}/dumps`;
    const kinds: (string | undefined)[] = [];
    const history: Pick<JobLedger, "list"> = {
      list: async (installation, limit, which) => {
        kinds.push(which?.kind);
        return which?.kind === "dump"
          ? [aDumpJob(aSurveyedDump(0), { result: { destination } })]
          : list(installation, limit, which);
      },
    };
    const place = { ...aPlace(directory.path, portable), history };
    await expect(programs.report.run(place, request)).rejects.toMatchObject({
      name: "DestinationMissingError",
      message: expect.stringMatching(/it could not be read: DestinationMissingError/),
    });
    expect(kinds).toContain("report");
    expect(await readdir(join(directory.path, "dumps"))).toEqual([]);
  });
});
