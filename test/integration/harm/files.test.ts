import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, chown, link, lstat, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IntegrityError, InvalidInputError, TargetNotEmptyError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic, filesOf } from "../../support/aClinic.ts";
import { contextFor, type DumpContextOptions, resticsHere } from "../../support/dumpContext.ts";
import { forgeSites, tarOf } from "../../support/forgedSites.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";
import { treeImage } from "../../support/treeImage.ts";

let clinic: Clinic;
/** What the program must never touch: with an owner, a mode and content of its own. */
let witness: string;
let places = 0;
beforeEach(async () => {
  clinic = await aClinic();
  witness = join(clinic.directory, `witness-${++places}`);
  await mkdir(join(witness, "inner"), { recursive: true });
  await writeFile(join(witness, "inner/ledger"), "not ours");
  await writeFile(join(witness, "sqlconf.php"), "<?php // of somebody else");
});
afterEach(() => clinic.remove());

const forms = [
  ...resticsHere().map(({ name, restic }) => ({ form: name, format: "restic" as const, restic })),
  { form: "a portable set", format: "portable" as const, restic: undefined },
];
const portable = { format: "portable" as const };

/** A context on a place of its own. */
const aPlace = async (options: Partial<DumpContextOptions> = {}): Promise<DumpContext> => {
  const directory = join(clinic.directory, `place-${++places}`);
  await mkdir(directory, { recursive: true });
  const context = await contextFor({ ...clinic, directory, dumps: portable, ...options });
  return context;
};

let copies = 0;
const restoreBeside = async (
  context: DumpContext,
  dump: string,
  more: { platform?: "compose" | "host"; intoSites?: string } = {},
) => {
  const { platform, intoSites = join(context.stateDirectory, "..", `copy-${++copies}`) } = more;
  const intoDatabase = `${context.database.name}_copy${++copies}`;
  try {
    const verdict = await restoreDump(context, { dump, intoDatabase, intoSites, platform });
    return { verdict, sites: intoSites };
  } finally {
    await clinic.schema.query(`DROP DATABASE IF EXISTS ${intoDatabase}`);
  }
};

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Runs a shell's loop as a user of no rights until it is killed. */
const loopAs = (uid: number, script: string): ChildProcess =>
  spawn("setpriv", [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "sh", "-c", script], { stdio: "ignore" });

describe.each([
  { how: "an absolute link", linked: async (real: string, at: string) => symlink(real, at), below: "" },
  { how: "a relative link", linked: async (_: string, at: string) => symlink("../sites", at), below: "" },
  {
    how: "a path below a linked directory",
    linked: async (real: string, at: string) => symlink(join(real, ".."), at),
    below: "sites",
  },
])("with sites.path $how", ({ linked, below }) => {
  it.each(forms)(
    "a dump holds all files, and a drill leaves the live documents alone ($form)",
    async ({ format, restic }) => {
      const before = treeImage(clinic.sitesPath);
      const directory = join(clinic.directory, `place-${++places}`);
      await mkdir(directory, { recursive: true });
      await linked(clinic.sitesPath, join(directory, "www"));
      const sitesPath = join(directory, "www", below);
      const context = await aPlace({ sitesPath, dumps: { format }, directory, ...(restic ? { restic } : {}) });
      const { manifest } = await takeDump(context);
      const verdict = await failureOf(drillDump(context, manifest.dumpId));

      expect(treeImage(clinic.sitesPath)).toEqual(before);
      expect(verdict).toBeUndefined();
      expect(manifest.sites.files).toBe(Object.keys(await filesOf(clinic.sitesPath)).length);
    },
  );
});

describe("a destination or state directory inside the sites tree", () => {
  it.each(["destination", "state"])("is refused though a link hides it (%s)", async (what) => {
    const directory = join(clinic.directory, `place-${++places}`);
    const inside = join(clinic.sitesPath, "default/documents/hidden");
    await mkdir(inside, { recursive: true });
    await mkdir(directory);
    await symlink(inside, join(directory, what === "state" ? "state" : "repository"));
    const opened = await failureOf(aPlace({ directory }));
    await rm(inside, { recursive: true });

    expect(opened).toBeInstanceOf(InvalidInputError);
  });
});

describe("a forged archive", () => {
  const forged = async (make: (directory: string) => Promise<readonly string[]>) => {
    const context = await aPlace();
    const { manifest } = await takeDump(context);
    const workshop = join(context.stateDirectory, "../workshop");
    await mkdir(workshop);
    await forgeSites(context, manifest, tarOf(workshop, ...(await make(workshop))));
    return { context, manifest };
  };
  const expectRefused = async (make: (directory: string) => Promise<readonly string[]>) => {
    const { context, manifest } = await forged(make);
    const before = treeImage(witness);
    for (const run of [() => drillDump(context, manifest.dumpId), () => restoreBeside(context, manifest.dumpId)]) {
      const failure = await failureOf(run());
      expect(treeImage(witness)).toEqual(before);
      expect(failure).toBeInstanceOf(IntegrityError);
    }
    expect(await readdir(context.drillDirectory)).toEqual([]);
  };

  it("whose only entry is a link moves and deletes nothing where the link leads", () =>
    expectRefused(async (directory) => {
      await symlink(witness, join(directory, "sites"));
      return ["sites"];
    }));

  it("with two trees is none of ours", () =>
    expectRefused(async (directory) => {
      await mkdir(join(directory, "sites"));
      await symlink(witness, join(directory, "zites"));
      return ["sites", "zites"];
    }));

  it("with a link and entries below it writes nothing where the link leads", () =>
    expectRefused(async (directory) => {
      await mkdir(join(directory, "sites/default"), { recursive: true });
      await symlink(join(witness, "inner"), join(directory, "sites/default/documents"));
      await mkdir(join(directory, "other/sites/default/documents"), { recursive: true });
      await writeFile(join(directory, "other/sites/default/documents/ledger"), "forged");
      return ["sites", "--directory", join(directory, "other"), "sites/default/documents/ledger"];
    }));

  it("with a hard link to a file outside gives no name of ours to that file", () =>
    expectRefused(async (directory) => {
      await mkdir(join(directory, "sites"));
      await writeFile(join(directory, "first"), "x");
      await link(join(directory, "first"), join(directory, "sites/second"));
      // The second name of "first" becomes one of the witness's file.
      const target = join(witness, "inner/ledger").replace(/[,\\]/g, "\\$&");
      return ["sites", `--transform=flags=h;s,first,${target},`, "first", "sites/second"];
    }));
});

describe("a drill whose scratch place another user of the machine made first", () => {
  it("restores nothing where that user wants it", async () => {
    const context = await aPlace();
    const { dumpId } = await takeDump(context);
    await chmod(context.drillDirectory, 0o1777);
    for (let path = context.drillDirectory; path !== tmpdir() && path !== "/"; path = join(path, "..")) {
      const { mode } = await lstat(path);
      await chmod(path, mode | 0o011);
    }
    const { scratchNameOf } = await import("@openemr-ops/dumps/steps/drillServer");
    const place = join(context.drillDirectory, scratchNameOf(context.installation, context.database.name));
    const trap = loopAs(
      65_534,
      `cd / ; while :; do mkdir ${place} 2>/dev/null && ln -s ${witness} ${place}/sites; done`,
    );
    const before = treeImage(witness);
    try {
      for (let round = 0; round < 3; round++) {
        await failureOf(drillDump(context, dumpId));
        expect(treeImage(witness)).toEqual(before);
      }
    } finally {
      trap.kill("SIGKILL");
    }
  });
});

describe("a restore for containers, run as root", () => {
  it("makes and gives away nothing behind a link that the source planted", async () => {
    await symlink(witness, join(clinic.sitesPath, "default/documents/custom_menus"));
    await symlink(join(witness, "inner"), join(clinic.sitesPath, "default/documents/edi"));
    const context = await aPlace();
    const { dumpId } = await takeDump(context);
    for (const name of ["custom_menus", "edi"]) await rm(join(clinic.sitesPath, "default/documents", name));
    const before = treeImage(witness);
    const { verdict, sites } = await restoreBeside(context, dumpId, { platform: "compose" });

    expect(treeImage(witness)).toEqual(before);
    expect((await lstat(join(sites, "default/documents/custom_menus"))).isSymbolicLink()).toBe(true);
    expect(verdict.next.join("\n")).toMatch(/default\/documents\/custom_menus.*link/);
  });

  it("gives away nothing of others to a process of that user that exchanges directories for links", async () => {
    const tree = join(clinic.sitesPath, "default/documents/many");
    for (let index = 0; index < 40; index++) {
      await mkdir(join(tree, `d${index}`), { recursive: true });
      for (let file = 0; file < 10; file++) await writeFile(join(tree, `d${index}/${file}`), "");
    }
    spawnSync("chown", ["-R", "1000:101", clinic.sitesPath]);
    const context = await aPlace();
    const { dumpId } = await takeDump(context);
    spawnSync("chown", ["-R", "0:0", clinic.sitesPath]);
    await rm(tree, { recursive: true });
    // A file of root and one of another user: today's program makes either one uid 1000's.
    for (let index = 0; index < 50; index++) await writeFile(join(witness, `file-${index}`), "root's");
    await chown(join(witness, "inner/ledger"), 33, 33);
    const parent = join(context.stateDirectory, "../volume");
    await mkdir(parent);
    await chown(parent, 1000, 1000);
    await chmod(parent, 0o755);
    const exchange = `cd ${parent}; while :; do for d in */default/documents/many/d* .*/*/default/documents/many/d*; do
      [ -d "$d" ] && [ ! -L "$d" ] && mv "$d" "$d.away" && ln -s ${witness} "$d"; done; done 2>/dev/null`;
    const before = treeImage(witness);
    const attackers = [loopAs(1000, exchange)];
    try {
      for (let round = 0; round < 6; round++) {
        await failureOf(
          restoreBeside(context, dumpId, { platform: "compose", intoSites: join(parent, `sites-${round}`) }),
        );
        expect(treeImage(witness)).toEqual(before);
      }
    } finally {
      for (const attacker of attackers) attacker.kill("SIGKILL");
    }
  }, 120_000);
});

describe("a restore into a volume, which no rename replaces", () => {
  it.each(forms)("stages in the volume and leaves the tree alone in it ($form)", async ({ format, restic }) => {
    const context = await aPlace({ dumps: { format }, ...(restic ? { restic } : {}) });
    const { dumpId } = await takeDump(context);
    await using volume = await smallFileSystem(join(context.stateDirectory, "../volume"), 32);
    const { verdict } = await restoreBeside(context, dumpId, { intoSites: volume.path });

    expect(verdict.verdict).toBe("passed");
    expect(await filesOf(volume.path)).toEqual(await filesOf(clinic.sitesPath));
    expect((await readdir(volume.path)).sort()).toEqual((await readdir(clinic.sitesPath)).sort());
    expect((await lstat(volume.path)).mode).toBe((await lstat(clinic.sitesPath)).mode);
  });

  it("refuses one with anything in it, and leaves that as it was", async () => {
    const context = await aPlace();
    const { dumpId } = await takeDump(context);
    const before = treeImage(witness);

    expect(await failureOf(restoreBeside(context, dumpId, { intoSites: witness }))).toBeInstanceOf(TargetNotEmptyError);
    expect(treeImage(witness)).toEqual(before);
  });
});

describe("what no document is", () => {
  it.each(forms)("is not restored, and the verdict lists it ($form)", async ({ format, restic }) => {
    const odd = join(clinic.sitesPath, "default/documents/odd");
    await mkdir(odd);
    for (const name of ["setuid", "setgid", "sticky", "capable", "plain"]) await writeFile(join(odd, name), name);
    await chmod(join(odd, "setuid"), 0o4755);
    await chmod(join(odd, "setgid"), 0o2755);
    await chmod(join(odd, "sticky"), 0o1644);
    const attributes = (code: string, path: string) =>
      spawnSync("python3", ["-c", `import os, sys; ${code}`, path], { encoding: "utf8" });
    const given = "os.setxattr(sys.argv[1], 'security.capability', bytes.fromhex('0000000200040000') + bytes(12))";
    expect(attributes(given, join(odd, "capable"))).toMatchObject({ status: 0 });
    spawnSync("mknod", [join(odd, "memory"), "c", "1", "1"]);
    spawnSync("mkfifo", [join(odd, "pipe")]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(odd, "socket"), resolve));
    const outside = join(clinic.directory, `outside-${++places}`);
    await writeFile(outside, "two names");
    await link(outside, join(odd, "shared"));
    const context = await aPlace({ dumps: { format }, ...(restic ? { restic } : {}) });
    const { dumpId } = await takeDump(context);
    await new Promise((resolve) => server.close(resolve));
    await rm(odd, { recursive: true });
    const { verdict, sites } = await restoreBeside(context, dumpId);
    const image = treeImage(join(sites, "default/documents/odd"));

    expect(Object.values(image).filter(({ type }) => !["file", "directory"].includes(type))).toEqual([]);
    expect(Object.values(image).filter(({ type, mode }) => type === "file" && mode.length > 3)).toEqual([]);
    expect((await lstat(join(sites, "default/documents/odd/shared"))).nlink).toBe(1);
    const listed = "print(os.listxattr(sys.argv[1]))";
    expect(attributes(listed, join(sites, "default/documents/odd/capable")).stdout).toBe("[]\n");
    expect(verdict).toMatchObject({
      verdict: "passed",
      dropped: expect.arrayContaining([
        { kind: "setuid", count: 1 },
        { kind: "setgid", count: 1 },
        { kind: "sticky", count: 1 },
        { kind: "device", count: 1 },
        { kind: "fifo", count: 1 },
      ]),
    });
  });
});
