import { spawnSync } from "node:child_process";
import { chmod, cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { realCommandLine } from "../../support/realCommandLine.ts";
import { type SmallFileSystem, smallFileSystem } from "../../support/smallFileSystem.ts";

let clinic: Clinic;
beforeEach(async () => {
  clinic = await aClinic();
});
afterEach(() => clinic.remove());

describe("a volume of the sites tree", () => {
  /** The documents of one directory on a disk of their own. */
  const onItsOwnDisk = async (below: string): Promise<SmallFileSystem> => {
    const path = join(clinic.sitesPath, below);
    const aside = join(clinic.directory, "aside");
    await cp(path, aside, { recursive: true });
    await rm(path, { recursive: true });
    const disk = await smallFileSystem(path, 5);
    await cp(aside, path, { recursive: true });
    return disk;
  };

  it.each(["restic", "portable"] as const)(
    "that vanished is no complete dump of an empty directory (%s)",
    async (format) => {
      const context = await contextFor({ ...clinic, directory: join(clinic.directory, "place"), dumps: { format } });
      const disk = await onItsOwnDisk("default/documents/12");
      const { manifest, dumpId } = await takeDump(context);
      expect(manifest.sites.mounts).toEqual([{ at: "default/documents/12", type: "tmpfs" }]);
      expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed" });
      await disk[Symbol.asyncDispose]();

      await expect(takeDump(context)).rejects.toMatchObject({
        name: "SourceLayoutError",
        message: expect.stringMatching(/default\/documents\/12 .* is an empty directory now/),
      });
      expect((await listDumps(context)).map((dump) => dump.dumpId)).toEqual([dumpId]);

      const into = join(clinic.sitesPath, "default/documents/12");
      await cp(join(clinic.directory, "aside"), into, { recursive: true }); // moved into the tree for good
      expect((await takeDump(context)).manifest.warnings).toContainEqual(
        expect.objectContaining({ code: "other-volume", count: 1 }),
      );
    },
  );

  it("is compared with the newest dump of the past, whatever a clock that was wrong made of another", async () => {
    const context = await contextFor({ ...clinic, directory: join(clinic.directory, "place") });
    const ahead = () => new Date(Date.now() + 400 * 86_400_000);
    await takeDump({ ...context, now: ahead });
    const disk = await onItsOwnDisk("default/documents/12");
    await takeDump(context);
    await disk[Symbol.asyncDispose]();

    await expect(takeDump(context)).rejects.toMatchObject({ message: expect.stringMatching(/empty directory now/) });
  });

  it("that shows another tree, without any document, is refused", async () => {
    const context = await contextFor({ ...clinic, directory: join(clinic.directory, "place") });
    const disk = await onItsOwnDisk("default");
    await takeDump(context);
    const site = join(clinic.sitesPath, "default");
    const image = join(clinic.directory, "image");
    await cp(site, image, { recursive: true });
    await disk[Symbol.asyncDispose]();
    await cp(image, site, { recursive: true });
    for (const name of await readdir(join(site, "documents")))
      if (/^[0-9]/.test(name)) await rm(join(site, "documents", name), { recursive: true });

    await expect(takeDump(context)).rejects.toMatchObject({
      name: "SourceLayoutError",
      message: expect.stringMatching(/none of the files of 1 documents is there/),
    });
    await cp(image, site, { recursive: true });
    expect((await takeDump(context)).manifest.warnings).toContainEqual(
      expect.objectContaining({ code: "other-volume", message: expect.stringMatching(/of type tmpfs and is none/) }),
    );
  });
});

describe("an ordinary user who may read all sites", () => {
  it.each(["restic", "portable"] as const)("dumps them, whatever else lies beside (%s)", async (format) => {
    const directory = join(clinic.directory, "place");
    await mkdir(join(clinic.sitesPath, "lost+found"), { mode: 0o700 });
    await mkdir(join(clinic.sitesPath, "odd [*] name"), { mode: 0o700 });
    await writeFile(join(clinic.sitesPath, "stray"), "x", { mode: 0o600 });
    const options = { ...clinic, directory, dumps: { format } };
    const program = await realCommandLine(options);
    spawnSync("chown", ["-R", "1000:1000", join(clinic.sitesPath, "default"), directory]);
    await chmod(clinic.sitesPath, 0o755);

    const end = await program.run(["dump"], { user: 1000 });

    expect(end.exitCode, end.stdout).toBe(0);
    expect(end.json).toMatchObject({ complete: true });
    const context = await contextFor(options);
    const [dump] = await listDumps(context);
    expect(dump?.complete).toBe(true);
    const verdict = await drillDump(context, "latest");
    expect(verdict.verdict).toBe("passed");
    expect(verdict.warnings).toContainEqual(
      expect.objectContaining({
        code: "beside-sites-unreadable",
        count: 3,
        message: expect.stringContaining("lost+found, odd [*] name, stray"),
      }),
    );

    // What was a site is data, though nobody can see any more that it is one.
    await chmod(join(clinic.sitesPath, "default"), 0o700);
    spawnSync("chown", ["0:0", join(clinic.sitesPath, "default")]);
    expect((await program.run(["dump"], { user: 1000 })).json).toMatchObject({
      error: { name: "SourceUnreadableError", message: expect.stringContaining("site default was in dump") },
    });
  });
});
