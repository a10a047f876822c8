import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { isObjectLink, objectLink } from "@openemr-ops/core/consoleLinks";
import { describe, expect, it } from "vitest";

const key = "production/reports/clinic-a/2026-11-27.html";
const s3 = (changes: object = {}): DestinationAddress => ({
  kind: "s3",
  bucket: "clinic-a-dumps",
  prefix: "production",
  pathStyle: false,
  ...changes,
});

describe("the link to a page beside the dumps", () => {
  it.each([
    ["eu-central-1", "console.aws.amazon.com"],
    ["us-gov-west-1", "console.amazonaws-us-gov.com"],
    ["cn-north-1", "console.amazonaws.cn"],
  ])("in the region %s leads to its partition's console, and has no signature", (region, host) => {
    const link = objectLink(s3({ region }), key, "us-east-1");
    expect(link).toBe(`https://${region}.${host}/s3/object/clinic-a-dumps?prefix=${key}`);
    expect(isObjectLink(link ?? "")).toBe(true);
  });

  it("takes the region of the environment where the destination names none", () => {
    expect(objectLink(s3(), key, "eu-west-1")).toContain("https://eu-west-1.console.aws.amazon.com/");
  });

  it("leads to Google's console for a bucket there", () => {
    const link = objectLink({ kind: "gcs", bucket: "b_c", prefix: "production" }, key, undefined);
    expect(link).toBe(`https://console.cloud.google.com/storage/browser/_details/b_c/${key}`);
    expect(isObjectLink(link ?? "")).toBe(true);
  });

  it.each<[string, DestinationAddress, string | undefined]>([
    ["a directory", { kind: "file", directory: "/srv/backups" }, "eu-west-1"],
    ["a server of one's own", s3({ endpoint: "https://s3.example.org", region: "eu-west-1" }), "eu-west-1"],
    ["a bucket of a region that nobody named", s3(), undefined],
    ["a partition whose console is not known", s3({ region: "us-iso-east-1" }), undefined],
    ["a region that is none", s3(), "eu-west-1.evil.example.org/#"],
  ])("is not made for %s", (_, address, region) => {
    expect(objectLink(address, key, region)).toBeUndefined();
  });

  it("escapes what a prefix may have and a query may not", () => {
    const link = objectLink(s3({ region: "eu-west-1" }), "a+b=c/reports/x.html", undefined);
    expect(link).toMatch(/\?prefix=a%2Bb%3Dc\/reports\/x\.html$/);
    expect(isObjectLink(link ?? "")).toBe(true);
  });

  it.each([
    "https://evil.example.org/s3/object/b?prefix=k",
    "https://evil.example.org/#.console.aws.amazon.com/s3/object/b?prefix=k",
    "https://eu-west-1.console.aws.amazon.com/s3/object/b?prefix=k|click>",
    "https://eu-west-1.console.aws.amazon.com/s3/object/b?prefix=k\n<!channel>",
    "https://eu-west-1.console.aws.amazon.com/iam/home",
    "http://console.cloud.google.com/storage/browser/_details/b/k",
    "",
  ])("is not what a job reports as %j", (text) => {
    expect(isObjectLink(text)).toBe(false);
  });
});
