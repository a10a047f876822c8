import { spawn } from "node:child_process";
import { cp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { applyRetention } from "@openemr-ops/dumps/steps/applyRetention";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { chooseDump } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { readNote, writeNote } from "@openemr-ops/dumps/store/ownProcesses";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor, resticsHere } from "../../support/dumpContext.ts";
import { aRepositoryPassword } from "../../support/quickRepository.ts";

let clinic: Clinic;
const prepared = () => join(clinic.directory, "prepared");
beforeAll(async () => {
  clinic = await aClinic();
  const context = await contextFor({ ...clinic, directory: prepared() });
  await takeDump(context);
});
afterAll(() => clinic.remove());

/** Written whole: a lock on its way has a longer name. */
const locksIn = async (repository: string): Promise<readonly string[]> =>
  (await readdir(join(repository, "locks"))).filter((name) => /^[0-9a-f]{64}$/.test(name));

/** Runs restic on a host of another name and kills it as soon as it holds its lock. */
const killedRestic = async (restic: string, repository: string, command: string): Promise<number> => {
  for (let attempt = 0; attempt < 20; attempt++) {
    const script = `hostname another-host; exec ${restic} --no-cache -r ${repository} ${command}`;
    const child = spawn("unshare", ["--uts", "sh", "-c", script], {
      env: { PATH: process.env.PATH, RESTIC_PASSWORD: aRepositoryPassword },
      stdio: ["pipe", "ignore", "ignore"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    while (child.exitCode === null && (await locksIn(repository)).length === 0) await sleep(1);
    child.kill("SIGKILL");
    await ended;
    if ((await locksIn(repository)).length > 0) return child.pid ?? 0;
  }
  throw new Error("restic was never caught with its lock");
};

describe.each(resticsHere())("a lock that a killed $name left on another host", ({ restic }) => {
  let places = 0;
  let repository: string;
  let context: Awaited<ReturnType<typeof contextFor>>;
  const intoSites = () => join(clinic.directory, `copy-${restic.length}-${places}`);
  beforeEach(async () => {
    const directory = join(clinic.directory, `place-${restic.length}-${++places}`);
    repository = join(directory, "repository");
    await cp(join(prepared(), "repository"), repository, { recursive: true });
    context = await contextFor({ ...clinic, directory, restic });
  });
  const notedAs = (pid: number) =>
    writeNote(context.destination, "clinic-a", [{ host: "another-host", pid, at: new Date().toISOString() }]);

  it("keeps no restore and no drill waiting, whoever left it", async () => {
    await killedRestic(restic, repository, "prune");
    const before = await locksIn(repository);
    const intoDatabase = `${clinic.schema.name}_lk`;
    await clinic.schema.query(`DROP DATABASE IF EXISTS \`${intoDatabase}\``);

    const restored = await restoreDump(context, { dump: "latest", intoDatabase, intoSites: intoSites() });
    expect(restored).toMatchObject({ verdict: "passed" });
    expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed" });
    expect(await checkDumps(context, "read-data")).toMatchObject({ level: "read-data" });
    expect(await locksIn(repository)).toEqual(before);
  });

  it.each(["prune", "backup --stdin --stdin-filename x"])(
    "is removed by the next job that holds our lock, when it was ours (%s)",
    async (command) => {
      await notedAs(await killedRestic(restic, repository, command));

      await takeDump(context);
      await applyRetention(context, { keepLast: 1, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 }, false);
      expect(await locksIn(repository)).toEqual([]);
    },
  );

  it("stays and is named when a person left it, whose program may still run", async () => {
    const pid = await killedRestic(restic, repository, "prune");

    await expect(takeDump(context)).rejects.toMatchObject({
      name: "InstallationBusyError",
      message: expect.stringMatching(new RegExp(`PID ${pid} on another-host.*restic unlock`, "s")),
    });
    expect(await locksIn(repository)).toHaveLength(1);
  });

  it("is known to be ours by what each job notes of its own restics", async () => {
    await takeDump(context);
    const noted = await readNote(context.destination, "clinic-a");
    expect(noted.length).toBeGreaterThan(1);
    expect(new Set(noted.map(({ host }) => host))).toEqual(new Set([hostname()]));
  });
});

describe.each(resticsHere())("a lock that is listed and gone when $name reads it", ({ restic }) => {
  it.each([
    { what: "starts again with its own lock", goesAt: 2, withoutLock: [false, false] },
    { what: "reads without a lock where that does not help", goesAt: 99, withoutLock: [false, false, false, true] },
  ])("is not waited for: restic $what", async ({ goesAt, withoutLock }) => {
    const directory = join(clinic.directory, `gone-${restic.length}-${goesAt}`);
    const repository = join(directory, "repository");
    await cp(join(prepared(), "repository"), repository, { recursive: true });
    const lock = join(repository, "locks", "ab".repeat(32));
    await symlink("gone", lock);
    const [noted, program] = [join(directory, "noted"), join(directory, "restic")];
    const script = `#!/bin/sh
echo "$*" >> ${noted}
[ "$(grep -c database.sql ${noted})" -lt ${goesAt} ] || rm -f ${lock}
exec ${restic} "$@"
`;
    await writeFile(program, script, { mode: 0o755 });
    const context = await contextFor({ ...clinic, directory, restic: program });
    const { database } = await chooseDump(context, "latest");
    let bytes = 0;
    const count = async (stream: AsyncIterable<Buffer>) => {
      for await (const chunk of stream) bytes += chunk.length;
    };
    await context.store.readDatabase(database.part, count, context);

    expect(bytes).toBe(database.byteLength);
    const starts = (await readFile(noted, "utf8")).split("\n").filter((args) => args.includes("database.sql"));
    expect(starts.map((args) => args.includes("--no-lock"))).toEqual(withoutLock);
  });
});
