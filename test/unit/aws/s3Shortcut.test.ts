import { metadataOf, pageOf, sourceOf } from "@openemr-ops/aws/s3Shortcut";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const escapedText = (text: string) =>
  text.replace(
    /[&<>"'\r]/g,
    (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#x27;" })[letter] ?? "&#13;",
  );
const entry = (key: string, etag = '"ab"') =>
  `<Contents><Key>${escapedText(key)}</Key><LastModified>2026-11-27T04:00:00.123Z</LastModified><ETag>${escapedText(etag)}</ETag><Size>12</Size><StorageClass>STANDARD</StorageClass><Owner><ID>Key</ID></Owner></Contents>`;
const page = (entries: string, rest = "<IsTruncated>false</IsTruncated>") =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>${entries}${rest}</ListBucketResult>`;

describe("a page of a listing", () => {
  const anyKey = fc.string({ unit: "binary" }).filter((key) => key.isWellFormed());

  it("is read with every key as it was, but those that mark a directory", () => {
    fc.assert(
      fc.property(fc.constantFrom("", "ana&lytics/"), fc.array(anyKey), (root, keys) => {
        const read = pageOf(page(keys.map((key) => entry(root + key)).join("")), root);
        const files = keys.filter((key) => !`${root}${key}`.endsWith("/"));
        expect(read?.objects.map(({ key }) => key)).toEqual(files);
      }),
    );
  });

  it("gives size, time, mark and where the next one begins", () => {
    const rest = "<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>";
    expect(pageOf(page(entry("a"), rest))).toEqual({
      objects: [{ key: "a", byteLength: 12, modifiedAt: new Date("2026-11-27T04:00:00.123Z"), etag: '"ab"' }],
      token: "a&b",
    });
    expect(pageOf(page(entry("<NextContinuationToken>x</NextContinuationToken>")))?.token).toBeUndefined();
  });

  it.each([
    ["cut short", page(entry("a")).slice(0, -5)],
    ["cut within an entry", `${page(entry("a")).slice(0, 200)}</ListBucketResult>`],
    ["an error", "<Error><Code>NoSuchBucket</Code></Error>"],
    ["of HTML", "<html></html>"],
    ["without an end or a next page", page(entry("a"), "")],
    ["to be continued nowhere", page(entry("a"), "<IsTruncated>true</IsTruncated>")],
    ["with an unknown entity", page(entry("a").replace("<Key>a", "<Key>&nbsp;"))],
    [
      "with another encoding of keys",
      page(entry("a"), "<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"),
    ],
    ["without a size", page(entry("a").replace("<Size>12</Size>", ""))],
    ["of keys that nobody asked for", page(entry("a")), "b/"],
  ])("is left to the SDK when it is %s", (_, xml, root?) => {
    expect(pageOf(xml, root)).toBeUndefined();
  });
});

it("keeps times to the nanosecond as rclone writes them", () => {
  expect(metadataOf({ modifiedNs: 1_764_215_999_000_000_001n })).toEqual({ mtime: "1764215999.000000001" });
  expect(sourceOf({ mtime: "1764215999.5" })).toEqual({ modifiedNs: 1_764_215_999_500_000_000n });
  expect(sourceOf({ mtime: "yesterday" })).toBeUndefined();
  expect(sourceOf()).toBeUndefined();
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }), (modifiedNs) => {
      expect(sourceOf(metadataOf({ modifiedNs }))).toEqual({ modifiedNs });
    }),
  );
});
