import { documentFile } from "@openemr-ops/openemr/documentFile";
import { checkDocuments } from "@openemr-ops/openemr/documents";
import { describe, expect, it } from "vitest";
import { aDocument } from "../../support/keyedSite.ts";
import { aTree } from "../../support/sitesTree.ts";
import { sqliteReader, type TestRow } from "../../support/sqliteReader.ts";

const url = (path: string) => `file:///elsewhere/sites/old/documents/${path}`;
const check = async (rows: TestRow[], files: Record<string, string>, options: { batch?: number } = {}) => {
  const placed = Object.fromEntries(Object.entries(files).map(([path, text]) => [`default/documents/${path}`, text]));
  return checkDocuments({
    sitesPath: await aTree(placed),
    database: sqliteReader({ documents: rows }),
    site: "default",
    ...options,
  });
};
const none = { count: 0, ids: [] };
const fine = { rows: 1, missing: none, empty: none, notEncrypted: none, deletedMissing: 0, thumbnailsMissing: 0 };

describe("the file of a document", () => {
  it.each([
    [url("12/a.pdf"), "1", "12/a.pdf"],
    [url("12/a.pdf"), null, "12/a.pdf"],
    [url("00/7/a.pdf"), "2", "00/7/a.pdf"],
    ["a.pdf", "0", "a.pdf"],
    ["file://12/a b'\".pdf", "1", "12/a b'\".pdf"],
    ["a.pdf", "1", undefined],
    ["", "1", undefined],
    [null, "1", undefined],
    [url("../../sqlconf.php"), "2", undefined],
    [url("12/.."), "1", undefined],
    [url("12/a\0b"), "1", undefined],
  ])("of %j with depth %j is %j", (text, depth, expected) => expect(documentFile(text, depth)).toBe(expected));
});

describe("documents against files", () => {
  it("fit when each row has its file, wherever the tree was before", async () => {
    expect(await check([aDocument({ url: url("12/a") })], { "12/a": "content" })).toEqual(fine);
  });

  it.each<{ what: string; row: TestRow; files?: Record<string, string>; expected: Record<string, unknown> }>([
    { what: "a missing file", row: { url: url("12/a") }, expected: { missing: { count: 1, ids: [1] } } },
    {
      what: "a directory instead of a file",
      row: { url: url("12/a") },
      files: { "12/a/b": "x" },
      expected: { missing: { count: 1, ids: [1] } },
    },
    { what: "a row without a path", row: { url: null }, expected: { missing: { count: 1, ids: [1] } } },
    {
      what: "an empty file",
      row: { url: url("12/a") },
      files: { "12/a": "" },
      expected: { empty: { count: 1, ids: [1] } },
    },
    {
      what: "clear text where a ciphertext shall be",
      row: { url: url("12/a"), encrypted: 1 },
      files: { "12/a": "clear" },
      expected: { notEncrypted: { count: 1, ids: [1] } },
    },
    {
      what: "a ciphertext where one shall be",
      row: { url: url("12/a"), encrypted: 1 },
      files: { "12/a": "007AAAA" },
      expected: {},
    },
    { what: "a missing file of a deleted row", row: { url: url("12/a"), deleted: 1 }, expected: { deletedMissing: 1 } },
    {
      what: "a missing thumbnail",
      row: { url: url("12/a"), thumb_url: url("12/th_a") },
      files: { "12/a": "x" },
      expected: { thumbnailsMissing: 1 },
    },
    { what: "content kept in the database", row: { type: "blob" }, expected: { rows: 0 } },
    { what: "a web address", row: { type: "web_url", url: "https://x/y" }, expected: { rows: 0 } },
    { what: "content kept in CouchDB", row: { couch_docid: "c" }, expected: { rows: 0 } },
    { what: "another storage method", row: { storagemethod: 1 }, expected: { rows: 0 } },
  ])("report $what", async ({ row, files = {}, expected }) => {
    expect(await check([aDocument(row)], files)).toEqual({ ...fine, ...expected });
  });

  it("are gone through batch by batch, none left out, none twice", async () => {
    const rows = Array.from({ length: 25 }, (_, index) => aDocument({ id: index * 3 - 6, url: url(`1/${index}`) }));
    const files = Object.fromEntries(rows.flatMap((_, index) => (index % 5 === 0 ? [] : [[`1/${index}`, "x"]])));
    for (const batch of [1, 5, 24, 25, 26]) {
      expect(await check(rows, files, { batch })).toMatchObject({
        rows: 25,
        missing: { count: 5, ids: [-6, 9, 24, 39, 54] },
      });
    }
  });

  it("are nothing where the table is absent, and need no column of newer releases", async () => {
    const sitesPath = await aTree({ "default/documents/1/a": "x" });
    expect(await checkDocuments({ sitesPath, database: sqliteReader({}), site: "default" })).toEqual({
      ...fine,
      rows: 0,
    });
    const old = sqliteReader({ documents: [{ id: 5, type: "file_url", url: url("1/a") }] });
    expect(await checkDocuments({ sitesPath, database: old, site: "default" })).toEqual(fine);
  });
});
