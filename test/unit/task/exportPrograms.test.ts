import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import type { InputOf } from "@openemr-ops/events/jobKinds";
import { exportDatabase } from "@openemr-ops/task/programs/exportDatabase";
import { describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory, anInstallation, snapshotOf } from "../../support/configuration.ts";

const canary = "canary-of-a-short-key";

/** What both ways of the program answer, and whether they left anything. */
const attempt = async (exports: object, input: Partial<InputOf<"exportDatabase">>, environment = {}) => {
  await using directory = await aConfigDirectory();
  await writeFile(join(directory.path, "short.key"), "x".repeat(40), { mode: 0o600 });
  const destination = `file://${directory.path}/exports`;
  const written = { ...anInstallation(), exports: { destination, ...exports } };
  const config = await loadConfig(await directory.write(aConfig(written)), { environment });
  const place = {
    config,
    installation: selectInstallation(config),
    environment: { ...environment, PSEUDONYM_KEY: canary },
    now: () => new Date("2026-11-27T04:00:00.000Z"),
    signal: new AbortController().signal,
    progress: () => undefined,
    warn: () => undefined,
  };
  const before = await snapshotOf(directory.path);
  const request = { version: 1, kind: "exportDatabase", dryRun: false, ...input } as const;
  const failures = [exportDatabase.plan(place, request), exportDatabase.run(place, request)].map((work) =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  const [planned, ran] = await Promise.all(failures);
  expect(await snapshotOf(directory.path)).toEqual(before);
  expect(String(planned)).toBe(String(ran));
  return ran;
};

describe("an export of the database", () => {
  it.each<[string, object, Partial<InputOf<"exportDatabase">>, string, RegExp]>([
    [
      "without a key of pseudonyms",
      {},
      { profile: "deidentified" },
      "installations[0].exports.pseudonymKeyFile",
      /is missing; the profile "deidentified" makes pseudonyms with this key/,
    ],
    [
      "with AWS's own export by hand",
      {},
      { engine: "aurora" },
      "engine",
      /the workflow ExportDatabase alone runs engine "aurora"/,
    ],
    [
      "with AWS's own export without columns",
      { pseudonymKeyFile: "short.key" },
      { engine: "aurora", profile: "deidentified" },
      "profile",
      /AWS's own export leaves out no columns/,
    ],
    [
      "with a key short enough to be guessed",
      { pseudonymKey: "env:PSEUDONYM_KEY" },
      { profile: "deidentified" },
      "installations[0].exports.pseudonymKey",
      /^the key is shorter than 32 characters; openssl rand -hex 32 makes one$/,
    ],
    [
      "since a day of the future",
      {},
      { since: "2026-11-29" },
      "since",
      /^is in the future: expected a day up to 2026-11-27$/,
    ],
    [
      "since a day with AWS's own export",
      {},
      { engine: "aurora", since: "2026-01-01" },
      "since",
      /AWS's own export has whole tables alone; expected engine "direct"/,
    ],
    [
      "since a day with years alone",
      { pseudonymKey: "env:PSEUDONYM_KEY" },
      { profile: "deidentified", since: "2026-01-01" },
      "since",
      /a day would be known of each row/,
    ],
  ])("is refused by its field %s, before anything is read", async (_, exports, input, path, says) => {
    const environment = "pseudonymKey" in exports ? { PSEUDONYM_KEY: "x".repeat(64) } : {};
    const error = await attempt(exports, input, environment);
    expect(error).toMatchObject({
      name: "InvalidInputError",
      issues: [{ path, message: expect.stringMatching(says) }],
    });
    expect(String(error)).not.toContain(canary);
  });
});
