import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { decideRetention, type RetainedDump, type RetentionPolicy } from "@openemr-ops/dumps/retention";
import { findTools } from "@openemr-ops/local/tools/findTool";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyMoments, anyPolicy } from "../support/anyHistory.ts";

interface ResticSnapshot {
  readonly id: string;
  readonly time: string;
}

const run = promisify(execFile);
const now = new Date("2026-12-31T23:59:59Z");
const flags: Record<keyof RetentionPolicy, string> = {
  keepLast: "--keep-last",
  keepDaily: "--keep-daily",
  keepWeekly: "--keep-weekly",
  keepMonthly: "--keep-monthly",
  keepYearly: "--keep-yearly",
};

/** From one seed: some series and single days over seven years. Each costs restic half a second to open its repository. */
const moments = fc
  .sample(anyMoments, { seed: 20_261_120, numRuns: 12 })
  .flatMap((some) => some.slice(0, 8))
  .slice(0, 48);

/** restic 0.14 does not keep the oldest snapshot while counts are left; 0.16 and later do, and so do we. */
const keepsOldest = (version: string): boolean => Number(/^restic 0\.(\d+)/.exec(version)?.[1] ?? 99) >= 16;

const versions = await Promise.all(
  findTools("restic").map(async (program) => ({ program, version: (await run(program, ["version"])).stdout.trim() })),
);
const programs = [...new Map(versions.map((each) => [each.version, each])).values()];

let directory: string;
let snapshots: readonly RetainedDump[];
const restic = async (program: string, ...args: string[]): Promise<string> => {
  const env = {
    PATH: "/usr/bin:/bin",
    TZ: "UTC",
    RESTIC_REPOSITORY: join(directory, "repository"),
    RESTIC_PASSWORD: "for tests alone",
    RESTIC_CACHE_DIR: join(directory, "cache"),
  };
  return (await run(program, args, { env, maxBuffer: 64 * 1024 * 1024 })).stdout;
};

/** One repository for all versions, written by the last in order of preference: the oldest. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "retention-"));
  const file = join(directory, "file");
  await writeFile(file, "row");
  const oldest = programs.at(-1)?.program ?? "restic";
  await restic(oldest, "init");
  const backUp = (moment: Date) => {
    const time = moment.toISOString().slice(0, 19).replace("T", " ");
    return restic(oldest, "backup", "--quiet", "--host", "clinic-a", "--time", time, file);
  };
  for (let start = 0; start < moments.length; start += 3) {
    await Promise.all(moments.slice(start, start + 3).map(backUp));
  }
  const listed: readonly ResticSnapshot[] = JSON.parse(await restic(oldest, "snapshots", "--json"));
  snapshots = listed.map(({ id, time }) => ({ dumpId: id, takenAt: new Date(time), complete: true }));
}, 120_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("the restic programs that the tests know", () => {
  it("are at least one, current", () => {
    expect(programs.some(({ version }) => keepsOldest(version))).toBe(true);
  });
});

describe.each(programs)("the retention decision beside $version", ({ program, version }) => {
  it("sees the same history", () => {
    const times = (dates: readonly Date[]) => dates.map((date) => date.toISOString()).sort();
    expect(times(snapshots.map(({ takenAt }) => takenAt))).toEqual(times(moments));
  });

  it("keeps and expires what restic forget keeps and expires", async () => {
    await fc.assert(
      fc.asyncProperty(anyPolicy, async (policy) => {
        fc.pre(Object.values(policy).some((count) => count > 0)); // restic refuses or removes all; we keep all
        const options = (Object.keys(flags) as (keyof RetentionPolicy)[]).flatMap((field) =>
          policy[field] > 0 ? [flags[field], String(policy[field])] : [],
        );
        const [group]: readonly { readonly keep: readonly ResticSnapshot[] }[] = JSON.parse(
          await restic(program, "forget", "--dry-run", "--json", "--no-lock", ...options),
        );
        const theirs = new Set((group?.keep ?? []).map(({ id }) => id));

        const { keep } = decideRetention(snapshots, policy, { now });
        const onlyOurs = (reason: string) =>
          reason.startsWith("newest ") || (!keepsOldest(version) && reason.startsWith("oldest "));
        const ours = keep.filter(({ reasons }) => !reasons.every(onlyOurs)).map(({ dumpId }) => dumpId);

        expect(ours.sort()).toEqual([...theirs].sort());
      }),
      { numRuns: 20 },
    );
  });
});
