import { spawnSync } from "node:child_process";
import { chmod, chown, lstat, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { replaceSqlconf } from "@openemr-ops/openemr/replaceSqlconf";
import { describe, expect, it } from "vitest";
import { asUser } from "../../support/realCommandLine.ts";
import { aTree } from "../../support/sitesTree.ts";

const program = join(repositoryRoot, "test/support/replaceSqlconf.ts");
const owner = { uid: 1000, gid: 101 } as const;

/** A site whose file belongs to the web server. @returns the site's directory */
const aSite = async (mode = 0o400): Promise<string> => {
  const root = await aTree({ "sites/default/sqlconf.php": "old", "sites/default/documents": null });
  await chmod(root, 0o755);
  const site = join(root, "sites/default");
  for (const path of [site, join(site, "documents"), join(site, "sqlconf.php")])
    await chown(path, owner.uid, owner.gid);
  await chmod(join(site, "sqlconf.php"), mode);
  return site;
};
const content = (site: string) => readFile(join(site, "sqlconf.php"), "utf8");
const drafts = async (directory: string) => (await readdir(directory)).filter((name) => name.startsWith(".sqlconf-"));

describe("a sqlconf.php that is replaced", () => {
  it("is on the disk with its owner and mode before it has its name, and then its name is on the disk", async () => {
    const site = await aSite();
    const trace = join(site, "../../trace");
    const calls = "fsync,fdatasync,rename,renameat,renameat2,chown,lchown,fchownat,chmod,fchmodat,utimensat";
    const args = ["-f", "-y", "-qq", "-o", trace, "-e", `trace=${calls}`, "-e", "signal=none"];
    const run = spawnSync("strace", [...args, process.execPath, program, site, "440", "1000", "101"], { input: "new" });
    expect(run.stderr.toString()).toBe("");

    const lines = (await readFile(trace, "latin1")).split("\n").filter((line) => line.includes(site));
    const steps = lines.flatMap((line) => {
      if (/\bf(?:data)?sync\(.*\.sqlconf-/.test(line)) return ["content"];
      if (/\bfsync\(\d+<[^>]*\/documents>/.test(line)) return ["directory of drafts"];
      if (/\bfsync\(\d+<[^>]*\/default>/.test(line)) return ["directory"];
      if (/chown(?:at)?\(.*\.sqlconf-/.test(line)) return ["owner"];
      if (/chmod(?:at)?\(.*\.sqlconf-/.test(line)) return ["mode"];
      return /rename.*\.sqlconf-.*\/default\/sqlconf\.php"/.test(line) ? ["rename"] : [];
    });
    expect(steps).toEqual(["content", "owner", "mode", "rename", "directory", "directory of drafts"]);
    expect(await stat(join(site, "sqlconf.php"))).toMatchObject({ ...owner, mode: 0o100440 });
    expect(await content(site)).toBe("new");
  });

  it.each([
    { old: "of this very second", ahead: 0 },
    { old: "ahead of this machine's clock", ahead: 90 },
  ])("gets a time that PHP takes for another one than that of a file $old", async ({ ahead }) => {
    const site = await aSite();
    const times: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const second = Math.floor(Date.now() / 1000) + ahead;
      if (turn === 0) await utimes(join(site, "sqlconf.php"), second, second);
      times.push(Math.floor((await stat(join(site, "sqlconf.php"))).mtimeMs / 1000));
      await replaceSqlconf(site, Buffer.from(`${turn}`), { mode: 0o400, owner });
    }
    expect(new Set(times).size).toBe(4);
  });

  it("stays behind the link that leads to it, which other releases may share", async () => {
    const site = await aSite();
    const shared = join(site, "../../shared");
    await mkdir(shared);
    await writeFile(join(shared, "clinic.php"), "old");
    await symlink("../../shared/clinic.php", join(site, "link"));
    spawnSync("mv", [join(site, "link"), join(site, "sqlconf.php")]);
    await writeFile(join(shared, ".sqlconf-00ff.php"), "left behind");

    await replaceSqlconf(site, Buffer.from("new"), { mode: 0o400, owner });

    expect((await lstat(join(site, "sqlconf.php"))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(shared, "clinic.php"), "utf8")).toBe("new");
    expect(await drafts(shared)).toEqual([]);
  });

  it("is replaced where the sites, or the site, are links", async () => {
    const site = await aSite();
    const root = join(site, "../..");
    await symlink("sites", join(root, "linked"));
    await symlink("default", join(root, "sites/clinic"));

    await replaceSqlconf(join(root, "linked/clinic"), Buffer.from("new"), { mode: 0o400, owner });

    expect(await content(site)).toBe("new");
  });

  it("leaves no draft of an interrupted run, and needs no documents directory", async () => {
    const site = await aSite();
    await writeFile(join(site, ".sqlconf-00ff.php"), "left behind");
    await writeFile(join(site, "documents/.sqlconf-01.php"), "left behind");
    await replaceSqlconf(site, Buffer.from("new"), { mode: 0o400, owner });
    expect([...(await drafts(site)), ...(await drafts(join(site, "documents")))]).toEqual([]);

    const bare = join(site, "../bare");
    await mkdir(bare);
    await writeFile(join(bare, "sqlconf.php"), "old");
    await replaceSqlconf(bare, Buffer.from("new"), { mode: 0o400, owner });
    expect(await readdir(bare)).toEqual(["sqlconf.php"]);
  });
});

describe("as the web server's user, who owns all", () => {
  const run = (site: string, mode: string, gid: number) => {
    const args = [process.execPath, program, site, mode, "1000", `${gid}`];
    const { command, environment, done } = asUser(1000, args, { PATH: process.env.PATH });
    const [first = "", ...rest] = command;
    const ended = spawnSync(first, rest, { input: "new", env: environment });
    done();
    return ended;
  };

  it("a file in a directory without the right to write is replaced, and the directory is as before", async () => {
    const site = await aSite();
    await writeFile(join(site, ".sqlconf-00ff.php"), "left behind");
    await chmod(site, 0o500);
    expect(run(site, "400", 1000).stderr.toString()).toBe("");
    expect(await content(site)).toBe("new");
    expect((await stat(site)).mode & 0o777).toBe(0o500);
    expect(await drafts(site)).toEqual([]);
  });

  it("a file that its group reads is kept where that group cannot be given to the new one", async () => {
    const site = await aSite(0o440);
    expect(run(site, "440", 101).status).not.toBe(0);
    expect(await content(site)).toBe("old");
    expect([...(await drafts(site)), ...(await drafts(join(site, "documents")))]).toEqual([]);

    expect(run(site, "444", 101).stderr.toString()).toBe(""); // everybody reads it: the group does not matter
    expect(await content(site)).toBe("new");
  });
});

it("a read-only file system refuses the new file, and the old one stays", async () => {
  const site = await aSite();
  const script = `mount --bind '${site}' '${site}' && mount -o remount,ro,bind '${site}' && exec "$@"`;
  const command = [process.execPath, program, site, "400", "1000", "101"];
  const run = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...command], { input: "new" });
  expect(run.stderr.toString()).toContain("EROFS");
  expect(await content(site)).toBe("old");
});
