import { spawnSync } from "node:child_process";
import { chmod, chown, cp, lchown, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, filesOf } from "../../support/aClinic.ts";
import { contextFor, type DumpContextOptions, resticsHere } from "../../support/dumpContext.ts";
import { oneOwnersFileSystem } from "../../support/oneOwnersFileSystem.ts";
import { realCommandLine } from "../../support/realCommandLine.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";
import { type EntryImage, treeImage } from "../../support/treeImage.ts";

/** Ways in which a program may not give files away, whoever it is. */
const waysOfNotOwning = [
  { way: "root without the right to change owners, as behind NFS or EFS", as: "setpriv --bounding-set=-chown" },
  { way: "root of a user namespace, as in a rootless container", as: "unshare --user --map-root-user" },
  { way: "an ordinary user", as: "setpriv --reuid=65534 --regid=65534 --clear-groups" },
];
const formats = [
  ...resticsHere().map(({ name, restic }) => ({ name, format: "restic" as const, tool: "restic", program: restic })),
  { name: "a portable set", format: "portable" as const, tool: "tar", program: findTool("tar") ?? "tar" },
];

let clinic: Clinic;
let image: Readonly<Record<string, EntryImage>>;
beforeAll(async () => {
  clinic = await aClinic();
  const at = (name: string) => join(clinic.sitesPath, "default", name);
  await symlink("letter", at("documents/12/link"));
  await lchown(at("documents/12/link"), 33, 33);
  await chown(at("sqlconf.php"), 33, 33);
  await chown(at("documents/12/letter"), 1000, 101);
  await chmod(at("documents/12/letter"), 0o640);
  await utimes(at("documents/12/letter"), 1_600_000_000, 1_600_000_000);
  spawnSync("chmod", ["-R", "a+rX", clinic.directory]);
  await utimes(at("documents/12"), 1_600_000_000, 1_600_000_000);
  image = treeImage(clinic.sitesPath);
});
afterAll(() => clinic.remove());

let places = 0;
const aPlace = async (format: (typeof formats)[number]) => {
  const directory = join(clinic.directory, `place-${++places}`);
  const environment =
    format.tool === "restic" ? { OPENEMR_OPS_RESTIC: format.program } : { OPENEMR_OPS_TAR: format.program };
  const options: DumpContextOptions = { ...clinic, directory, dumps: { format: format.format }, environment };
  return { directory, options, context: await contextFor(options) };
};

/** The same options, with a program that runs with fewer rights than we have. */
const restricted = async (
  options: DumpContextOptions,
  { tool, program }: (typeof formats)[number],
  as: string,
): Promise<DumpContextOptions> => {
  const wrapper = join(options.directory, `${tool}-restricted`);
  const copy = join(options.directory, `real-${tool}`);
  await cp(program.startsWith("/") ? program : `/usr/bin/${program}`, copy);
  await writeFile(wrapper, `#!/bin/sh\nexec ${as} ${copy} "$@"\n`, { mode: 0o755 });
  const variable = tool === "restic" ? "OPENEMR_OPS_RESTIC" : "OPENEMR_OPS_TAR";
  return { ...options, environment: { ...options.environment, [variable]: wrapper } };
};

const withoutOwners = (images: Readonly<Record<string, EntryImage>>) =>
  Object.fromEntries(Object.entries(images).map(([path, { owner: _, ...rest }]) => [path, rest]));

const restoreInto = async (options: DumpContextOptions, name: string): Promise<Verdict> => {
  const intoDatabase = `${options.schema.name}_owners`;
  await options.schema.query(`DROP DATABASE IF EXISTS \`${intoDatabase}\``);
  const context = await contextFor(options);
  return restoreDump(context, { dump: "latest", intoDatabase, intoSites: join(options.directory, name) });
};

/** A chroot, and some containers, let nobody make a user namespace. */
const tried = waysOfNotOwning.slice(0, 2).filter(({ as }) => spawnSync("sh", ["-c", `${as} true`]).status === 0);

describe.each(formats)("where owners cannot be set, a restore from $name", (format) => {
  it.each(tried)("restores all else and says so: $way", async ({ as }) => {
    const { directory, options, context } = await aPlace(format);
    await takeDump(context);

    const verdict = await restoreInto(await restricted(options, format, as), "copy");

    expect(verdict).toMatchObject({
      verdict: "passed",
      differences: [],
      notRestored: [{ kind: "owner", count: 3, first: expect.any(Array) }],
    });
    const [{ first } = { first: [] }] = verdict.notRestored;
    expect(first).toEqual(expect.arrayContaining(["default/sqlconf.php (33:33)", "default/documents/… (1000:101)"]));
    expect(JSON.stringify(first)).not.toMatch(/12|letter/);
    expect(withoutOwners(treeImage(join(directory, "copy")))).toEqual(withoutOwners(image));
    expect(await drillDump(await contextFor(await restricted(options, format, as)), "latest")).toMatchObject({
      verdict: "passed",
      notRestored: [{ kind: "owner", count: 3 }],
    });
  });

  it("ends with a status of its own, for an ordinary user too", async () => {
    const { directory, options, context } = await aPlace(format);
    await takeDump(context);
    const target = join(directory, "target");
    await mkdir(target);
    spawnSync("chown", ["-R", "65534:65534", directory]);
    const intoDatabase = `${options.schema.name}_user`;
    await options.schema.query(`DROP DATABASE IF EXISTS \`${intoDatabase}\``);
    const program = await realCommandLine(options);
    spawnSync("chown", ["-R", "65534:65534", directory]);

    const end = await program.run(
      ["restore", "--dump", "latest", "--into-database", intoDatabase, "--into-sites", join(target, "copy")],
      { user: 65534 },
    );

    expect(end.exitCode, end.stdout).toBe(7);
    const entries = Object.keys(image).length;
    expect(end.json).toMatchObject({ verdict: "passed", notRestored: [{ kind: "owner", count: entries }] });
    expect(withoutOwners(treeImage(join(target, "copy")))).toEqual(withoutOwners(image));
    await options.schema.query(`DROP DATABASE \`${intoDatabase}\``);
  });

  it("blames the disk here when it has no room, no inode left or may not be written to", async () => {
    const { directory, options, context } = await aPlace(format);
    const scan = join(clinic.sitesPath, "default/documents/12/scan");
    await writeFile(scan, Buffer.alloc(3_000_000, 7));
    await takeDump(context);
    await rm(scan);
    image = treeImage(clinic.sitesPath);
    await using disk = await smallFileSystem(join(directory, "disk"), 1);
    const into = async () =>
      restoreInto(options, "disk/copy").then(
        () => "restored",
        (error: Error) => error.name,
      );

    expect(await into()).toBe("DiskFullError");
    disk.resize(100);
    spawnSync("mount", ["-o", "remount,nr_inodes=9", disk.path]);
    expect(await into()).toBe("DiskFullError");
    spawnSync("mount", ["-o", "remount,nr_inodes=900,ro", disk.path]);
    expect(await into()).toBe("LocalSystemError");
  });
});

/** The one of these tests cannot set when a file was written without when it was read, which tar does. */
describe("a file system that gives everything one owner, as an access point does", () => {
  it("takes a restore beside the live system", async () => {
    const directory = join(clinic.directory, "one-owner");
    const options = { ...clinic, directory };
    await takeDump(await contextFor(options));
    await using disk = await oneOwnersFileSystem(join(directory, "disk"));

    const verdict = await restoreInto(options, "disk/copy");

    expect(verdict).toMatchObject({ verdict: "passed", differences: [], notRestored: [{ kind: "owner" }] });
    expect(withoutOwners(treeImage(join(disk.path, "copy")))).toEqual(withoutOwners(image));
  });

  it("takes a restore in place", async () => {
    const live = await aClinic();
    await using disk = await oneOwnersFileSystem(join(clinic.directory, "live"));
    const sitesPath = join(disk.path, "sites");
    await cp(live.sitesPath, sitesPath, { recursive: true });
    const documents = join(sitesPath, "default/documents");
    const before = await filesOf(documents);
    const context = await contextFor({ ...live, sitesPath });
    await takeDump(context);
    await writeFile(join(documents, "12/letter"), "written since");

    expect(await restoreDump(context, { dump: "latest", inPlace: true })).toMatchObject({ verdict: "passed" });
    expect(await filesOf(documents)).toEqual(before);
    await live.remove();
  });
});
