import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { SourceLayoutError, SourceUnreadableError } from "@openemr-ops/core/errors";
import { assertLayout } from "@openemr-ops/openemr/assertLayout";
import { unreadableBesideSites } from "@openemr-ops/openemr/besideSites";
import { isExcluded, listSites, requiredDirectories } from "@openemr-ops/openemr/sitesLayout";
import { describe, expect, it, onTestFinished } from "vitest";
import { aSqlconf, aTree } from "../../support/sitesTree.ts";

const site = { "default/sqlconf.php": aSqlconf(), "default/documents/logs_and_misc/methods/sevena": "key" };
const outside = async () => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-outside-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

describe("a dump", () => {
  it.each([
    "default/documents/smarty/main/x.tpl.php",
    "clinic.example.org/documents/smarty/gacl/a/b",
    "default/documents/mpdf/pdf_tmp/t",
    "default/documents/temp/upload",
    "default/documents/logs_and_misc/_cache/c",
    "default/faxcache/f",
    "default/documents/temp/a\nb",
    "default/documents/.sqlconf-00ff.php",
    ".openemr-ops-before-1/default/sqlconf.php",
    "docker-leader",
    "docker-initiated",
    "docker-completed",
  ])("leaves out %j", (path) => expect(isExcluded(path)).toBe(true));

  it.each([
    "default/sqlconf.php",
    "default/documents/temp",
    "default/documents/smarty/main",
    "default/documents/temporary/x",
    "default/documents/12/temp/x",
    "default/documents/12/documents/temp/x",
    "default/documents/logs_and_misc/methods/sevena",
    "default/documents/logs_and_misc/methods/api_cache_user",
    "default/docker-completed",
    "default/docker-version",
    "docker-completed.txt",
    "default/faxcache",
  ])("keeps %j", (path) => expect(isExcluded(path)).toBe(false));

  it("keeps every directory that OpenEMR needs, if only empty", () => {
    for (const directory of requiredDirectories) expect(isExcluded(`default/${directory}`)).toBe(false);
  });
});

describe("the sites of a tree", () => {
  it("are the directories with a sqlconf.php, links to such ones too", async () => {
    const root = await aTree({
      ...site,
      "clinic-b/sqlconf.php": "",
      "clinic.example.org": { link: "clinic-b" },
      dangling: { link: "nowhere" },
      "not-a-site/config.php": "",
      "sqlconf.php": "",
    });
    expect(await listSites(root)).toEqual(["clinic-b", "clinic.example.org", "default"]);
  });

  it("cannot be listed where there is no directory", async () => {
    const absent = join(await aTree({}), "absent");
    const refused = listSites(absent);
    await expect(refused).rejects.toThrow(SourceUnreadableError);
    await expect(refused).rejects.toThrow(`${absent} is not there (ENOENT): mount its disk, or set sites.path`);
  });
});

describe("the layout of a tree", () => {
  it("is fine as OpenEMR makes it, with links inside it, and when reached through a link", async () => {
    const root = await aTree({
      "real/default/sqlconf.php": aSqlconf(),
      "real/default/documents": { link: "../stored" },
      "real/stored/logs_and_misc/methods/sevena": "key",
      "real/other": { link: "default" },
      sites: { link: "real" },
    });
    expect(await assertLayout(join(root, "sites"))).toEqual([]);
  });

  it("is refused without any site, saying where to point", async () => {
    const root = await aTree({ "html/index.php": "" });
    await expect(assertLayout(root)).rejects.toThrow(SourceLayoutError);
    await expect(assertLayout(root)).rejects.toThrow(/sites\.path/);
  });

  it.each(["documents", "documents/logs_and_misc", "documents/logs_and_misc/methods", "documents/certificates"])(
    "is refused when %s lies outside, for the dump would lack it",
    async (part) => {
      const root = await aTree({ "default/sqlconf.php": aSqlconf(), [`default/${part}`]: { link: await outside() } });
      await expect(assertLayout(root)).rejects.toThrow(SourceLayoutError);
      await expect(assertLayout(root)).rejects.toThrow(`default/${part}`);
    },
  );

  it("is refused when a whole site lies outside", async () => {
    const elsewhere = await aTree(site);
    const root = await aTree({ default: { link: join(elsewhere, "default") } });
    await expect(assertLayout(root)).rejects.toThrow(SourceLayoutError);
  });

  it("is refused when the documents' link leads nowhere", async () => {
    const root = await aTree({ "default/sqlconf.php": aSqlconf(), "default/documents": { link: "/no/such/volume" } });
    await expect(assertLayout(root)).rejects.toThrow(SourceLayoutError);
  });

  it("warns of other directories outside, without naming them, for they could name a patient", async () => {
    const directory = await outside();
    const root = await aTree({
      ...site,
      "default/documents/jane-doe": { link: directory },
      "default/images": { link: directory },
      "default/documents/temp/cache": { link: directory },
      "default/inside": { link: "documents" },
      "default/broken": { link: "/no/such/place" },
    });
    const warnings = await assertLayout(root);
    expect(warnings).toEqual([expect.stringMatching(/^2 link/)]);
    expect(warnings.join()).not.toContain("jane-doe");
  });
});

describe("what lies beside the sites", () => {
  const closedTree = async () => {
    const root = await aTree({
      ...site,
      "lost+found/x": "",
      "private/deep/x": "",
      "notes/x": "",
      "stray.txt": "",
      "readable.txt": "",
    });
    await chmod(root, 0o755);
    await chmod(join(root, "lost+found"), 0o700);
    await chmod(join(root, "private/deep/x"), 0o600);
    await chmod(join(root, "stray.txt"), 0o600);
    return { root };
  };

  /** As a process of that user sees it: root may read everything. */
  const asNobody = async (root: string, expression: string): Promise<unknown> => {
    const modules = `${process.cwd()}/packages/openemr/src`;
    // The checkout may be where that user does not come.
    const script = `const { assertLayout } = await import("${modules}/assertLayout.ts");
      const { listSites } = await import("${modules}/sitesLayout.ts");
      const { unreadableBesideSites } = await import("${modules}/besideSites.ts");
      process.setgroups?.([]); process.setgid?.(65534); process.setuid?.(65534);
      const root = ${JSON.stringify(root)};
      console.log(JSON.stringify(await (${expression}).catch((error) => error.name + ": " + error.message)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    return JSON.parse(stdout);
  };

  it("does not keep an ordinary user from the sites, and is named where it cannot be read", async () => {
    const { root } = await closedTree();
    expect(await asNobody(root, "listSites(root)")).toEqual(["default"]);
    const beside = await asNobody(root, "unreadableBesideSites(root)");
    expect(beside).toEqual(["lost+found", "private", "stray.txt"]);
    expect(await asNobody(root, `assertLayout(root, { leftOut: ${JSON.stringify(beside)} })`)).toEqual([]);
  });

  it("is no excuse for what cannot be read inside a site", async () => {
    const { root } = await closedTree();
    await mkdir(join(root, "default/documents/12"), { mode: 0o700 });
    expect(await asNobody(root, "assertLayout(root, { leftOut: await unreadableBesideSites(root) })")).toMatch(
      /^SourceUnreadableError: cannot read the directory default\/documents\/… of the sites tree \(EACCES\)/,
    );
  });

  it("is read whole by who may", async () => {
    const { root } = await closedTree();
    if (process.geteuid?.() === 0) expect(await unreadableBesideSites(root)).toEqual([]);
  });
});

describe("links to files outside", () => {
  it.each(["documents/logs_and_misc/methods/sevenb", "documents/certificates/oaprivate.key"])(
    "are refused for the key %s, which the dump would lack",
    async (part) => {
      const file = join(await outside(), "key");
      await writeFile(file, "key");
      const root = await aTree({ ...site, [`default/${part}`]: { link: file } });
      await expect(assertLayout(root)).rejects.toThrow(SourceLayoutError);
    },
  );

  it("are counted for any other file", async () => {
    const file = join(await outside(), "jane-doe.pdf");
    await writeFile(file, "scan");
    const root = await aTree({ ...site, "default/documents/12/scan": { link: file } });
    expect(await assertLayout(root)).toEqual([expect.stringMatching(/^1 link/)]);
  });
});
