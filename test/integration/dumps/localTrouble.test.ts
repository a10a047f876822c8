import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor, resticsHere } from "../../support/dumpContext.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic();
});
afterAll(() => clinic.remove());
afterEach(() => vi.unstubAllEnvs());

let places = 0;
const aDirectory = () => join(clinic.directory, `place-${++places}`);
const nameOf = (error: Error) => `${error.name}: ${error.message}`;

describe.each(resticsHere())(
  "trouble with this machine's own disks is not the destination's, with $name:",
  ({ restic }) => {
    it("a full directory for temporary files", async () => {
      const directory = aDirectory();
      const context = await contextFor({ ...clinic, directory, restic });
      await context.store.open(true, context);
      await using disk = await smallFileSystem(join(directory, "tmp"), 1);
      await writeFile(join(disk.path, "ballast"), Buffer.alloc(2 ** 20)).catch(() => undefined);
      vi.stubEnv("TMPDIR", disk.path);
      expect(await takeDump(context).catch(nameOf)).toMatch(/^DiskFullError: .*TMPDIR/);
      disk.resize(50);
      expect(await takeDump(context)).toMatchObject({ complete: true });
    });

    it("no directory for temporary files", async () => {
      const directory = aDirectory();
      const context = await contextFor({ ...clinic, directory, restic });
      await context.store.open(true, context);
      vi.stubEnv("TMPDIR", join(directory, "absent"));
      expect(await takeDump(context).catch(nameOf)).toMatch(/^LocalSystemError: .*TMPDIR.*ENOENT/);
    });
  },
);

describe("trouble with this machine's own disks is not the dump's:", () => {
  it("a drill that may not write into its directory names that", async () => {
    const directory = aDirectory();
    const context = await contextFor({ ...clinic, directory });
    await takeDump(context);
    const drillDirectory = join(directory, "drills", "file");
    await mkdir(join(directory, "drills"), { recursive: true });
    await writeFile(drillDirectory, "");
    expect(await drillDump({ ...context, drillDirectory: join(drillDirectory, "x") }, "latest").catch(nameOf)).toMatch(
      /^(LocalSystemError|TargetUnsuitableError): .*drills\/file/,
    );
    await chmod(join(directory, "drills"), 0o755);
    await using disk = await smallFileSystem(join(directory, "full"), 1);
    await writeFile(join(disk.path, "ballast"), Buffer.alloc(2 ** 20)).catch(() => undefined);
    expect(await drillDump({ ...context, drillDirectory: disk.path }, "latest").catch(nameOf)).toMatch(
      /^DiskFullError: .*full/,
    );
  });
});
