import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "@openemr-ops/files/child";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anInstallation } from "../support/configuration.ts";
import { resticsHere } from "../support/dumpContext.ts";
import { type RunningProgram, startReal } from "../support/realCommandLine.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hostile-destinations-"));
  await runChild("mkfifo", [join(directory, "pipe")]);
  await writeFile(join(directory, "file"), "not a directory");
  await symlink("loop", join(directory, "loop"));
  await symlink("nowhere", join(directory, "dangling"));
  await mkdir(join(directory, "sites"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const started: RunningProgram[] = [];
afterAll(() => {
  for (const { process } of started) process.kill("SIGKILL"); // one that spins hears no other signal
});

const start = async (args: readonly string[], destination: string, restic: string): Promise<RunningProgram> => {
  const config = {
    stateDirectory: join(directory, "state"),
    installations: [
      anInstallation({
        database: { host: "127.0.0.1", port: 1, name: "openemr", user: "dump", password: "env:SECRET", tls: "off" },
        sites: { path: join(directory, "sites") },
        dumps: { destination: `file://${destination}`, password: "env:SECRET", retention: { keepLast: 1 } },
      }),
    ],
  };
  const file = join(directory, `${started.length}.json`);
  await writeFile(file, JSON.stringify(config));
  const environment = { SECRET: "canary-secret-of-hostile-places", OPENEMR_OPS_RESTIC: restic };
  const program = startReal([...args, "--config", file, "--json"], environment);
  started.push(program);
  return program;
};

interface Findings {
  readonly ok: boolean;
  readonly findings: readonly { readonly check: string; readonly ok: boolean; readonly note: string }[];
}

describe.each(resticsHere())("the check of a destination that is no directory, with $name", ({ restic }) => {
  it.each([
    { what: "a pipe", place: () => join(directory, "pipe") },
    { what: "below a file", place: () => join(directory, "file/below") },
    { what: "a link to itself", place: () => join(directory, "loop") },
    { what: "a link to nothing", place: () => join(directory, "dangling") },
    { what: "a device", place: () => "/dev/full" },
    { what: "in /proc, where a new name is absent", place: () => "/proc/self/dumps" },
    { what: "in /sys, where nobody may write", place: () => "/sys/dumps" },
  ])("ends and says so of the destination, not of damage ($what)", async ({ place }) => {
    const { ended } = await start(["check", "destination"], place(), restic);
    const { exitCode, json, stderr } = await ended;

    expect(exitCode, stderr).toBe(4);
    const failing = (json as Findings).findings.filter(({ ok }) => !ok);
    expect(failing.map(({ note }) => note.split(":")[0])).toEqual(
      failing.map(() => expect.stringMatching(/^Destination(Missing|AccessDenied)Error$/)),
    );
    expect(failing.length).toBeGreaterThan(0);
  });
});

describe("the check of a destination that takes for ever", () => {
  it("stops on SIGTERM, and leaves nothing there", async () => {
    const destination = join(directory, "good");
    const restic = join(directory, "slow-restic");
    const script =
      '#!/bin/sh\n[ "$1" = version ] && exec echo "restic 0.19.0 compiled"\necho > "$0.waits"\nexec sleep 600\n';
    await writeFile(restic, script, { mode: 0o755 });
    const program = await start(["check", "destination"], destination, restic);
    await expect.poll(() => readdir(directory), { timeout: 30_000 }).toContain("slow-restic.waits");

    program.process.kill("SIGTERM");
    const { exitCode, json } = await program.ended;

    expect(exitCode).toBe(4);
    expect(json).toMatchObject({ error: { name: "JobAbortedError" } });
    expect((await readdir(destination, { recursive: true })).filter((name) => name !== ".incoming")).toEqual([]);
  });
});
