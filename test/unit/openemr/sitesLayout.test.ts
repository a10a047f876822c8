import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SourceLayoutError, SourceUnreadableError } from "@openemr-ops/core/errors";
import { assertLayout } from "@openemr-ops/openemr/assertLayout";
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
    await expect(listSites(join(await aTree({}), "absent"))).rejects.toThrow(SourceUnreadableError);
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
