import { chmod, lstat, readdir, readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { SqlconfError } from "@openemr-ops/core/errors";
import { type Platform, prepareSites } from "@openemr-ops/openemr/prepareSites";
import { requiredDirectories, swarmFiles } from "@openemr-ops/openemr/sitesLayout";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import { describe, expect, it } from "vitest";
import { aSqlconf, aTree, type TreeEntry } from "../../support/sitesTree.ts";

const connection = { host: "db.new.example", port: 3307, login: "app'2", pass: "n\\ew'", dbase: "restored" };
const asRoot = process.getuid?.() === 0;
/** Root may give files away; anybody else can only keep them. */
const owner = asRoot ? { uid: 1000, gid: 101 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const restored: Record<string, TreeEntry> = {
  "default/sqlconf.php": aSqlconf({ configured: false }),
  "default/docker-version": "11\n",
  "default/documents/12/a": "content",
  "default/link": { link: "documents/12/a" },
};
const conf = async (root: string, site = "default") => parseSqlconf(await readFile(join(root, site, "sqlconf.php")));
const markers = async (root: string) => (await readdir(root)).filter((name) => swarmFiles.includes(name)).sort();

describe("a restored tree", () => {
  it.each<Platform>(["ecs", "compose", "kubernetes", "host"])(
    "on %s connects to the target and is set up",
    async (platform) => {
      const root = await aTree(restored);
      const { rewritten, warnings } = await prepareSites({
        sitesPath: root,
        platform,
        connection,
        upgrade: false,
        owner,
      });
      expect({ rewritten, warnings }).toEqual({ rewritten: ["default"], warnings: [] });
      expect(await conf(root)).toEqual({ ...connection, configured: true });
      for (const directory of requiredDirectories)
        expect((await stat(join(root, "default", directory))).isDirectory()).toBe(true);
      expect(await readFile(join(root, "default/docker-version"), "utf8")).toBe("11\n");
    },
  );

  it("connects to the target where a site of the dump writes its schema's name in other letters", async () => {
    const other = aSqlconf({ database: "OTHER" });
    const root = await aTree({ "default/sqlconf.php": aSqlconf({ database: "OpenEMR" }), "b/sqlconf.php": other });
    const settings = { sitesPath: root, platform: "host", connection, upgrade: false } as const;

    const { rewritten } = await prepareSites({ ...settings, database: "openemr", ownSites: ["default"] });
    expect(rewritten).toEqual(["default"]);
    expect(await conf(root)).toEqual({ ...connection, configured: true });
    expect(await conf(root, "b")).toMatchObject({ dbase: "OTHER" });
  });

  it("keeps the dump's connection when no other is given, and is set up all the same", async () => {
    const root = await aTree(restored);
    await prepareSites({ sitesPath: root, platform: "host", upgrade: false });
    expect(await conf(root)).toMatchObject({ host: "127.0.0.1", dbase: "openemr", configured: true });
  });

  it("is prepared a second time without any difference", async () => {
    const root = await aTree({ ...restored, "default/documents/.sqlconf-0123456789abcdef.php": "left behind" });
    const prepare = () =>
      prepareSites({ sitesPath: root, platform: "ecs", connection, database: "openemr", upgrade: false, owner });
    const first = await prepare();
    const before = await readdir(root, { recursive: true });
    expect(await prepare()).toEqual({ ...first, directoriesMade: 0, ownersChanged: 0 });
    expect((await readdir(root, { recursive: true })).sort()).toEqual(before.sort());
    expect(before.filter((path) => path.includes(".sqlconf-"))).toEqual([]);
    expect(await conf(root)).toEqual({ ...connection, configured: true });
  });

  it.each<{ platform: Platform; upgrade: boolean; expected: string[] }>([
    { platform: "ecs", upgrade: false, expected: ["docker-completed"] },
    { platform: "compose", upgrade: false, expected: ["docker-completed"] },
    { platform: "kubernetes", upgrade: false, expected: ["docker-completed"] },
    { platform: "ecs", upgrade: true, expected: [] },
    { platform: "host", upgrade: false, expected: [] },
  ])("on $platform with upgrade=$upgrade carries the markers $expected", async ({ platform, upgrade, expected }) => {
    const root = await aTree({ ...restored, "docker-leader": "1", "docker-initiated": "", "docker-completed": "" });
    await prepareSites({ sitesPath: root, platform, upgrade, owner });
    expect(await markers(root)).toEqual(expected);
  });

  it("has the modes that its platform needs", async () => {
    for (const [platform, file, directory] of [
      ["ecs", 0o644, 0o755],
      ["compose", 0o400, 0o500],
    ] as const) {
      const root = await aTree(restored);
      await chmod(join(root, "default"), 0o500);
      await prepareSites({ sitesPath: root, platform, connection, upgrade: false, owner });
      expect((await stat(join(root, "default/sqlconf.php"))).mode & 0o777).toBe(file);
      expect((await stat(join(root, "default"))).mode & 0o777).toBe(directory);
      await chmod(join(root, "default"), 0o700);
    }
  });

  it("belongs to the owner, links themselves too, and what already did keeps its group", async () => {
    const root = await aTree(restored);
    const first = await prepareSites({ sitesPath: root, platform: "compose", upgrade: false, owner });
    for (const path of ["", ...(await readdir(root, { recursive: true }))]) {
      expect((await lstat(join(root, path))).uid, path).toBe(owner.uid);
    }
    const again = await prepareSites({
      sitesPath: root,
      platform: "compose",
      upgrade: false,
      owner: { uid: owner.uid, gid: owner.gid + 1 },
    });
    expect(again.ownersChanged).toBe(0);
    expect((await stat(join(root, "default/documents/12/a"))).gid).toBe(owner.gid);
    expect(first.ownersChanged > 0).toBe(asRoot);
  });

  it("has a sqlconf.php with a new modification time, for PHP's cache goes by it", async () => {
    const root = await aTree(restored);
    const long = new Date("2020-01-01T00:00:00Z");
    await utimes(join(root, "default/sqlconf.php"), long, long);
    await prepareSites({ sitesPath: root, platform: "host", upgrade: false });
    expect((await stat(join(root, "default/sqlconf.php"))).mtime.getTime()).toBeGreaterThan(long.getTime());
  });

  it("with several sites changes those that name the installation's database", async () => {
    const root = await aTree({
      "default/sqlconf.php": aSqlconf({ database: "other" }),
      "a/sqlconf.php": aSqlconf(),
      "b/sqlconf.php": aSqlconf(),
    });
    const options = { sitesPath: root, platform: "host", connection, database: "openemr", upgrade: false } as const;
    expect((await prepareSites(options)).rewritten).toEqual(["a", "b"]);
    expect(await conf(root)).toMatchObject({ dbase: "other" });
    expect(await conf(root, "b")).toMatchObject({ dbase: "restored" });
  });

  it("says that TLS files of the source come along", async () => {
    const root = await aTree({ ...restored, "default/documents/certificates/mysql-ca": "PEM" });
    const { warnings } = await prepareSites({ sitesPath: root, platform: "host", connection, upgrade: false });
    expect(warnings).toEqual([expect.stringContaining("mysql-ca")]);
  });

  it("names what is in the place of a directory", async () => {
    const root = await aTree({ ...restored, "default/documents/edi": "a file" });
    const { warnings } = await prepareSites({ sitesPath: root, platform: "host", upgrade: false });
    expect(warnings).toEqual([expect.stringContaining("default/documents/edi")]);
  });

  it("is refused when none of its sites names the installation's database", async () => {
    const root = await aTree({ "default/sqlconf.php": aSqlconf({ database: "other" }) });
    const run = prepareSites({ sitesPath: root, platform: "host", connection, database: "openemr", upgrade: false });
    await expect(run).rejects.toThrow(SqlconfError);
  });
});

describe("a sqlconf.php that computes its values", () => {
  const computed = aSqlconf({ configured: false }).replace("'app password'", "getenv('P')");

  it("is refused when it has to name another database, and stays as it was", async () => {
    const root = await aTree({ "default/sqlconf.php": computed });
    await expect(prepareSites({ sitesPath: root, platform: "host", connection, upgrade: false })).rejects.toThrow(
      SqlconfError,
    );
    expect(await readFile(join(root, "default/sqlconf.php"), "utf8")).toBe(computed);
  });

  it("is marked as set up otherwise, for a container would empty the database, and a warning is given", async () => {
    const root = await aTree({ "default/sqlconf.php": computed });
    const { rewritten, warnings } = await prepareSites({ sitesPath: root, platform: "host", upgrade: false });
    expect(rewritten).toEqual(["default"]);
    expect(warnings).toEqual([expect.stringContaining("keeps its connection values")]);
    expect(await readFile(join(root, "default/sqlconf.php"), "utf8")).toBe(
      computed.replace("$config = 0", "$config = 1"),
    );
  });

  it("and cannot even be marked is left alone with a warning", async () => {
    const root = await aTree({ "default/sqlconf.php": "<?php require 'elsewhere.php';" });
    const { rewritten, warnings } = await prepareSites({ sitesPath: root, platform: "host", upgrade: false });
    expect(rewritten).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("$config = 1")]);
  });
});

describe("a link that the source planted in a restored tree", () => {
  const elsewhere = () => aTree({ ledger: "not ours", "sqlconf.php": aSqlconf({ database: "of others" }) });
  const seen = async (root: string) =>
    Promise.all(
      ["", ...(await readdir(root, { recursive: true })).sort()].map(async (path) => {
        const { mode, uid, gid, size } = await lstat(join(root, path));
        return { path, mode, uid, gid, size };
      }),
    );

  it.each<{ what: string; entries: (outside: string) => Record<string, TreeEntry>; named: RegExp }>([
    {
      what: "in place of a directory that OpenEMR needs",
      entries: (outside) => ({ "default/documents/custom_menus": { link: outside } }),
      named: /default\/documents\/custom_menus is a link/,
    },
    {
      what: "to nothing yet",
      entries: (outside) => ({ "default/documents/edi": { link: join(outside, "not/there/yet") } }),
      named: /default\/documents\/edi is a link/,
    },
    {
      what: "in place of documents",
      entries: (outside) => ({ "default/documents": { link: outside } }),
      named: /default\/documents is a link/,
    },
    {
      what: "in place of sqlconf.php",
      entries: (outside) => ({ "second/sqlconf.php": { link: join(outside, "sqlconf.php") } }),
      named: /second\/sqlconf.php leads out/,
    },
    {
      what: "in place of a site",
      entries: (outside) => ({ second: { link: outside } }),
      named: /second\/sqlconf.php leads out/,
    },
    {
      what: "in place of a marker",
      entries: (outside) => ({ "docker-completed": { link: join(outside, "ledger") } }),
      named: /^$/,
    },
  ])("is kept, and nothing is done where it leads: $what", async ({ entries, named }) => {
    const outside = await elsewhere();
    const planted = entries(outside);
    const { "default/documents/12/a": _, ...others } = restored;
    const root = await aTree({ ...("default/documents" in planted ? others : restored), ...planted });
    const before = await seen(outside);
    const { warnings } = await prepareSites({ sitesPath: root, platform: "ecs", connection, upgrade: false, owner });

    expect(await seen(outside)).toEqual(before);
    expect(warnings.join("\n")).toMatch(named);
    expect(await conf(root)).toEqual({ ...connection, configured: true });
  });
});
