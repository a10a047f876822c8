import { randomBytes } from "node:crypto";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import { DocumentsUndecryptableError } from "@openemr-ops/core/errors";
import { exportSites, planSitesExport } from "@openemr-ops/exports/sites/exportSites";
import { incompleteKey, successKey } from "@openemr-ops/exports/sites/seal";
import { encrypt, type WritableKeyVersion } from "@openemr-ops/openemr/crypto";
import { readKeySet } from "@openemr-ops/openemr/keys";
import { describe, expect, it } from "vitest";
import {
  aSitesContext,
  brokenPromises,
  digestOf,
  exportedFiles,
  inventoryOf,
  sealOf,
} from "../../../support/exportedSites.ts";
import { aKeyedSite } from "../../../support/keyedSite.ts";
import { memoryDestination } from "../../../support/memoryDestination.ts";
import { aTree, type TreeEntry } from "../../../support/sitesTree.ts";
import { sqliteReader } from "../../../support/sqliteReader.ts";

const clear = "the content of a document";
const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(5000)]);
const made = aKeyedSite({ versions: [6, 7] });
const seal = (bytes: Buffer | string, version: WritableKeyVersion = 7, keys = made.made.keys.database): string =>
  encrypt(Buffer.from(bytes), { version, keys, iv: randomBytes(16) });
const altered = (sealed: string, at = 200): string =>
  `${sealed.slice(0, at)}${sealed[at] === "A" ? "B" : "A"}${sealed.slice(at + 1)}`;

/** A practice with encrypted and plain documents, written long ago. */
const clinic = async (more: Readonly<Record<string, TreeEntry>> = {}) => {
  const entries: Readonly<Record<string, TreeEntry>> = {
    ...made.files,
    "default/documents/12/letter.pdf": seal(clear),
    "default/documents/2/six.pdf": seal(pdf, 6),
    "default/documents/3/plain.txt":
      "007 Clinic: minutes of the meeting, in clear from the beginning to its end, all of it",
    "default/documents/3/empty": "",
    ...more,
  };
  const sites = await aTree(entries);
  for (const [path, entry] of Object.entries(entries))
    if (entry !== null) await utimes(join(sites, path), 1_700_000_000, 1_700_000_000);
  return sites;
};

const keysOf = (sites: string) => async () =>
  new Map([["default", (await readKeySet(sites, "default", sqliteReader(made.tables))).keys]]);

let runs = 0;
const run = (sites: string, destination: Destination, documents: "as-stored" | "decrypted" = "decrypted") =>
  exportSites(aSitesContext(sites, destination, documents === "decrypted" ? { documentKeys: keysOf(sites) } : {}), {
    exportId: `20261127T040000Z-${String(++runs).padStart(8, "0")}`,
  });

const textOf = async (destination: Destination, key: string) => (await exportedFiles(destination)).get(key)?.toString();

describe("an export of decrypted documents", () => {
  it("holds what OpenEMR encrypted in clear, says so of each file, and leaves the others as they are", async () => {
    const destination = memoryDestination();
    const result = await run(await clinic(), destination);

    expect(result).toMatchObject({ files: 4, uploaded: 4, decrypted: 2 });
    expect(await textOf(destination, "default/documents/12/letter.pdf")).toBe(clear);
    expect((await exportedFiles(destination)).get("default/documents/2/six.pdf")).toEqual(pdf);
    expect(await textOf(destination, "default/documents/3/plain.txt")).toMatch(/^007 Clinic/);
    const inventory = await inventoryOf(destination);
    expect(inventory.get("default/documents/2/six.pdf")).toMatchObject({
      state: "present",
      treatment: "decrypted",
      sha256: digestOf(pdf),
      objectBytes: pdf.length,
      modifiedNs: 1_700_000_000_000_000_000n,
    });
    expect(inventory.get("default/documents/3/plain.txt")?.treatment).toBeUndefined();
    expect(await brokenPromises(destination)).toEqual([]);
    expect(await sealOf(destination)).toMatchObject({ documents: "decrypted", figures: { decrypted: 2 } });
  });

  it("is never made without being asked for", async () => {
    const destination = memoryDestination();
    const sites = await clinic();
    const result = await run(sites, destination, "as-stored");
    expect(result.decrypted).toBeUndefined();
    expect(await sealOf(destination)).not.toHaveProperty("documents");
    expect(await textOf(destination, "default/documents/12/letter.pdf")).toMatch(/^007/);
    for (const key of destination.keys()) expect(destination.bytesOf(key)?.includes(clear)).toBe(false);
  });

  it("carries no key, also where one lies encrypted under a harmless name", async () => {
    const { drive, database } = made.made.keys;
    const keys = [...drive.values(), ...database.values()];
    const [key = Buffer.alloc(0)] = keys;
    const privateKey = `-----BEGIN PRIVATE KEY-----\n${"x".repeat(90)}`;
    const hidden = {
      "default/documents/4/raw.pdf": seal(key),
      "default/documents/4/other": seal(randomBytes(32)),
      "default/documents/4/base64.txt": seal(`keys:\n${key.toString("base64")}\n`),
      "default/documents/4/notes.txt": seal(privateKey),
    };
    const destination = memoryDestination();
    const { excludedBy, files } = await run(await clinic(hidden), destination);

    expect(files).toBe(4);
    expect(excludedBy["a key inside the file"]).toBe(4);
    const canaries = [...keys.flatMap((each) => [each, each.toString("base64"), each.toString("hex")]), privateKey];
    for (const stored of destination.keys())
      for (const canary of canaries) expect(destination.bytesOf(stored)?.includes(canary), stored).toBe(false);
  });

  it("sends nothing again while nothing changes, and a document again that is encrypted with a new key", async () => {
    const destination = memoryDestination();
    const sites = await clinic();
    await run(sites, destination);
    expect(await planSitesExport(aSitesContext(sites, destination, { documentKeys: keysOf(sites) }))).toMatchObject({
      unchanged: 4,
      decrypted: 2,
    });
    expect(await run(sites, destination)).toMatchObject({ uploaded: 0, unchanged: 4, decrypted: 2 });

    await writeFile(join(sites, "default/documents/2/six.pdf"), seal(pdf, 7));
    expect(await run(sites, destination)).toMatchObject({ uploaded: 1, unchanged: 3, decrypted: 2 });
  });

  it("sends again what another choice concerns, and nothing else", async () => {
    const destination = memoryDestination();
    const sites = await clinic();
    await run(sites, destination, "as-stored");
    expect(await run(sites, destination)).toMatchObject({ uploaded: 2, unchanged: 2, decrypted: 2 });
    expect(await textOf(destination, "default/documents/12/letter.pdf")).toBe(clear);
    expect(await run(sites, destination, "as-stored")).toMatchObject({ uploaded: 2, unchanged: 2 });
    for (const key of destination.keys()) expect(destination.bytesOf(key)?.includes(clear)).toBe(false);
    expect((await inventoryOf(destination)).get("default/documents/12/letter.pdf")?.treatment).toBeUndefined();
  });

  it.each(["as-stored", "decrypted"] as const)(
    "takes no encrypted copy of an interrupted run (%s) for a clear one",
    async (before) => {
      const destination = memoryDestination();
      const sites = await clinic();
      await run(sites, destination, before);
      for (const key of destination.keys()) if (key.startsWith("sites/_")) await destination.delete(key);
      expect(await run(sites, destination)).toMatchObject({ uploaded: 2, unchanged: 2, decrypted: 2 });
      expect(await textOf(destination, "default/documents/12/letter.pdf")).toBe(clear);
      for (const key of destination.keys()) if (key.startsWith("sites/_")) await destination.delete(key);
      expect(await run(sites, destination, "as-stored")).toMatchObject({ uploaded: 2, unchanged: 2 });
      expect(await textOf(destination, "default/documents/12/letter.pdf")).toMatch(/^007/);
    },
  );

  it("exports everything else where files do not open, and fails with their number and no name", async () => {
    const none = aKeyedSite({ versions: [5] }).made.keys.database;
    const broken = {
      "default/documents/8/mac.pdf": altered(seal(pdf)),
      "default/documents/8/cut.pdf": seal(pdf).slice(0, 1001),
      "default/documents/8/five.pdf": seal(pdf, 5, none),
    };
    const destination = memoryDestination();
    const sites = await clinic(broken);
    const failure: unknown = await run(sites, destination).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(DocumentsUndecryptableError);
    expect(String(failure)).toMatch(/^DocumentsUndecryptableError: 3 encrypted file\(s\)/);
    expect(String(failure)).toMatch(/; documents leave decrypted$/);
    expect(String(failure)).not.toMatch(/mac|cut|five|default/);
    const inventory = await inventoryOf(destination, incompleteKey);
    expect(Object.keys(broken).map((path) => [inventory.get(path)?.state, inventory.get(path)?.reason])).toEqual([
      ["undecryptable", "it was altered, or encrypted with another key"],
      ["undecryptable", "it was altered, or encrypted with another key"],
      ["undecryptable", "the site has no key of its version"],
    ]);
    expect(destination.keys().filter((key) => key.includes("/8/"))).toEqual([]);
    expect(destination.keys()).not.toContain(successKey);
    expect((await exportedFiles(destination)).size).toBe(4);

    await Promise.all(Object.keys(broken).map((path) => writeFile(join(sites, path), seal(pdf))));
    expect(await run(sites, destination)).toMatchObject({ uploaded: 3, unchanged: 4, decrypted: 5 });
    expect(destination.keys()).not.toContain(incompleteKey);
  });

  it("gives out no byte of a large document before its end has proven it", async () => {
    const large = Buffer.concat([Buffer.from("LARGE-CLEAR"), randomBytes(6_000_000)]);
    const sealed = seal(large);
    const destination = memoryDestination();
    const sites = await clinic({
      "default/documents/9/good.dcm": sealed,
      "default/documents/9/bad.dcm": altered(sealed, 8_000_000),
    });
    const puts: string[] = [];
    const watched: Destination = {
      ...destination,
      put: (key, body, source) => {
        puts.push(key);
        return destination.put(key, body, source);
      },
    };
    await expect(run(sites, watched)).rejects.toThrow(DocumentsUndecryptableError);
    expect((await exportedFiles(destination)).get("default/documents/9/good.dcm")?.equals(large)).toBe(true);
    expect(puts.filter((key) => key.includes("/9/"))).toEqual(["sites/default/documents/9/good.dcm"]);
  });
});
