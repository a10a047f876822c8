import { chmod, readdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mayBeListed } from "@openemr-ops/exports/sites/bulk/fileList";
import { exportSites, planSitesExport } from "@openemr-ops/exports/sites/exportSites";
import { describe, expect, it } from "vitest";
import { bulkCopierDouble, type CopierChanges } from "../../../support/bulkCopierDouble.ts";
import { aSitesContext, digestOf, exportedFiles, inventoryOf, sealOf } from "../../../support/exportedSites.ts";
import { type MemoryDestination, memoryDestination } from "../../../support/memoryDestination.ts";
import { aSqlconf, aTree } from "../../../support/sitesTree.ts";

const large = (text: string) => Buffer.alloc(100_000, text);
const privateKey = Buffer.concat([Buffer.from("-----BEGIN PRIVATE KEY-----\n"), large("key")]);
const document = (name: string) => `default/documents/${name}`;

/** Long ago, so that times are settled; whole, so that it can be set again to the nanosecond. */
const past = Math.floor(Date.now() / 1000) - 3600;

const clinic = async () => {
  const root = await aTree({
    "default/sqlconf.php": aSqlconf(),
    [document("1/scan.pdf")]: large("one"),
    [document("2/x-ray, left.dcm")]: large("two"),
    [document("3/note.txt")]: "small",
    [document("4/é.pdf")]: large("accent"),
    [document("5/50%25.pdf")]: large("percent"),
    [document("6/key.bin")]: privateKey,
    [document("certificates/server.pem")]: large("certificate"),
    "default/documents/logs_and_misc/methods/seven": large("drive key"),
  });
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), past, past);
  return root;
};

let runs = 0;
const run = async (root: string, destination: MemoryDestination, changes: CopierChanges = {}) => {
  const double = bulkCopierDouble(root, destination, changes);
  const exportId = `20261127T040000Z-${String(++runs).padStart(8, "0")}`;
  const result = exportSites(aSitesContext(root, destination, { bulkCopier: double.copier }), { exportId });
  return { ...double, result: await result };
};
const refused = async (root: string, destination: MemoryDestination, changes: CopierChanges) => {
  const error = await run(root, destination, changes).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(await sealOf(destination)).toBeUndefined();
  return error;
};
const digestsOf = async (destination: MemoryDestination) =>
  new Map([...(await exportedFiles(destination))].map(([name, bytes]) => [name, digestOf(bytes)]));
const namesOf = async (destination: MemoryDestination) => [...(await exportedFiles(destination)).keys()].sort();
const leaving = ["1/scan.pdf", "2/x-ray, left.dcm", "3/note.txt", "4/é.pdf", "5/50%2525.pdf"].map(document);

describe("an export whose large files a service copies", () => {
  it("holds what one holds that sends them itself, and lists nothing that may not leave", async () => {
    const root = await clinic();
    const [destination, itself] = [memoryDestination(), memoryDestination()];
    const { result, lists, copied } = await run(root, destination);
    const direct = await exportSites(aSitesContext(root, itself), { exportId: "20261127T040000Z-00direct" });

    expect(await digestsOf(destination)).toEqual(await digestsOf(itself));
    expect(await namesOf(destination)).toEqual(leaving);
    const { exportId: _, seconds: __, ...figures } = result;
    expect(direct).toMatchObject(figures);
    expect(copied.toSorted()).toEqual([document("1/scan.pdf"), document("2/x-ray, left.dcm")]);
    expect(lists).toMatchObject([{ files: 2, bytes: 200_000 }]);
    const rows = await inventoryOf(destination);
    for (const [path, { state, etag, byteLength, modifiedNs }] of await inventoryOf(itself))
      expect(rows.get(path)).toMatchObject({ state, byteLength, modifiedNs, etag: etag && expect.any(String) });
    expect(destination.keys().filter((key) => key.startsWith("sites/_"))).toHaveLength(2); // _SUCCESS, one part
  });

  it("asks the service for nothing where nothing has changed, and for what has where something did", async () => {
    const root = await clinic();
    const destination = memoryDestination();
    await run(root, destination);
    const again = await run(root, destination);
    expect([again.lists, again.result.uploaded, again.result.unchanged]).toEqual([[], 0, 5]);
    await writeFile(join(root, document("1/scan.pdf")), large("new"));
    const third = await run(root, destination);
    expect(third.copied).toEqual([document("1/scan.pdf")]);
    expect((await digestsOf(destination)).get(document("1/scan.pdf"))).toBe(digestOf(large("new")));
  });

  it.each<[string, CopierChanges, RegExp]>([
    ["drops a file", { instead: (names) => names.slice(1) }, /1 file\(s\) of the list did not arrive/],
    ["cuts a file short", { bytes: (_, bytes) => bytes.subarray(1) }, /2 have another size/],
    [
      "copies more than it was asked for",
      { instead: (names) => [...names, "default/sqlconf.php", document("6/key.bin")] },
      /2 object\(s\) below sites\/ were not on the list and were removed/,
    ],
    [
      "copies over what was sent already",
      { instead: (names) => [...names, document("3/note.txt")], bytes: (_, bytes) => Buffer.from(bytes) },
      /1 object\(s\) below sites\/ were not on the list and were removed/,
    ],
  ])("is not complete where the service %s", async (_, changes, says) => {
    const destination = memoryDestination();
    const error = await refused(await clinic(), destination, changes);
    expect(error).toMatchObject({ name: "IntegrityError", message: expect.stringMatching(says) });
    expect(String(error)).not.toMatch(/scan|note|sqlconf/);
    const names = await namesOf(destination);
    expect(names.filter((name) => !leaving.includes(name))).toEqual([]);
  });

  it("is complete again after a run that was not, also where the service had dropped the new state of a file", async () => {
    const root = await clinic();
    const destination = memoryDestination();
    await run(root, destination);
    await writeFile(join(root, document("1/scan.pdf")), large("ONE")); // of the same size
    const { result } = await run(root, destination, { instead: () => [] });
    expect(result.uploaded).toBe(1);
    expect((await digestsOf(destination)).get(document("1/scan.pdf"))).toBe(digestOf(large("ONE")));
  });

  const scan = document("1/scan.pdf");
  it.each<[string, (path: string) => Promise<void>, Buffer | undefined]>([
    ["is written anew", (path) => writeFile(path, large("new")), large("new")],
    ["becomes a private key", (path) => writeFile(path, privateKey), undefined],
    [
      "becomes a private key of the same size and time",
      async (path) => {
        await writeFile(path, privateKey.subarray(0, 100_000));
        await utimes(path, past, past);
      },
      undefined,
    ],
    ["is removed", (path) => rm(path), undefined],
    [
      "becomes a link to a secret",
      async (path) => {
        await rm(path);
        await symlink("../../sqlconf.php", path);
      },
      undefined,
    ],
    [
      "is replaced by another file",
      async (path) => {
        await writeFile(`${path}.new`, large("other"));
        await rename(`${path}.new`, path);
      },
      large("other"),
    ],
    ["gets another mode", (path) => chmod(path, 0o600), large("one")],
  ])("has the right bytes of a file, or none, that %s before or after it is copied", async (_, change, expected) => {
    for (const when of ["before", "after"] as const) {
      const root = await clinic();
      const destination = memoryDestination();
      const { result } = await run(root, destination, { [when]: () => change(join(root, scan)) });
      const bytes = (await exportedFiles(destination)).get(scan);
      expect(bytes?.equals(expected ?? Buffer.alloc(0)), when).toBe(expected === undefined ? undefined : true);
      const row = (await inventoryOf(destination)).get(scan);
      expect(row?.state, when).toBe(expected === undefined ? undefined : "present");
      expect(result.files).toBe(expected === undefined ? 4 : 5);
    }
  });

  it("does not begin where the service is set up for something else", async () => {
    const root = await clinic();
    const destination = memoryDestination();
    const { copier } = bulkCopierDouble(root, destination);
    const assertReady = async () => {
      throw new Error("another destination");
    };
    const context = aSitesContext(root, destination, { bulkCopier: { ...copier, assertReady } });
    await expect(exportSites(context, { exportId: "20261127T040000Z-00000000" })).rejects.toThrow(
      "another destination",
    );
    await expect(planSitesExport(context)).rejects.toThrow("another destination");
    expect(destination.keys()).toEqual([]);
  });
});

describe("a file on a list", () => {
  it.each(["a/b.pdf", "a/b, c.pdf", "a/O'Neil (2).pdf", "a/x=1&y@z+.dcm"])("may be called %s", (path) => {
    expect(mayBeListed({ path, key: path })).toBe(true);
  });
  it.each([
    "a/é.pdf",
    'a/"b".pdf',
    "a/b\nc",
    "a/b*.pdf",
    "a/b\\c",
    "a/.b",
    "a/ b",
    "a/b ",
    "a//b",
    "-a/b",
    "a/b|c",
    "",
  ])("is not called %j", (path) => {
    expect(mayBeListed({ path, key: path })).toBe(false);
  });
  it("has the key that its path is", () => {
    expect(mayBeListed({ path: "_a", key: "%5Fa" })).toBe(false);
  });
});
