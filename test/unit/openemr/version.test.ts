import {
  compareVersions,
  formatVersion,
  type OpenEmrVersion,
  readCodeVersion,
  readDockerVersion,
  readVersion,
} from "@openemr-ops/openemr/version";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aTree } from "../../support/sitesTree.ts";
import { sqliteReader } from "../../support/sqliteReader.ts";

const release = (changes: Partial<OpenEmrVersion> = {}): OpenEmrVersion => ({
  major: 8,
  minor: 1,
  patch: 0,
  realPatch: 0,
  tag: "",
  database: 541,
  acl: 13,
  ...changes,
});
const row = { v_major: 8, v_minor: 1, v_patch: 0, v_realpatch: 0, v_tag: "", v_database: 541, v_acl: 13 };

describe("a version of OpenEMR", () => {
  it("is the row of table version", async () => {
    expect(await readVersion(sqliteReader({ version: [row] }))).toEqual(release());
    expect(await readVersion(sqliteReader({ version: { columns: Object.keys(row) } }))).toBeUndefined();
    expect(await readVersion(sqliteReader({}))).toBeUndefined();
  });

  it("is read from the code without running it", async () => {
    const code =
      "<?php // $v_major = '1';\n$v_major = '8';\n$v_minor='1';\n$v_patch = '0'; $v_tag = '-dev';\n\
$v_realpatch = '2'; $v_database = 541; $v_acl = 13; if (!defined('X')) { exit(1); }";
    const root = await aTree({ "version.php": code });
    expect(await readCodeVersion(root)).toEqual(release({ tag: "-dev", realPatch: 2 }));
    expect(await readCodeVersion(`${root}/absent`)).toBeUndefined();
  });

  it.each([
    ["11\n", 11],
    ["", undefined],
    ["eleven", undefined],
    [undefined, undefined],
  ])("of the image that a sites tree belongs to is %j → %s", async (text, expected) => {
    expect(await readDockerVersion(await aTree(text === undefined ? {} : { "default/docker-version": text }))).toBe(
      expected,
    );
  });

  it("is older by its schema first, then by its numbers, compared as numbers", () => {
    const older: [Partial<OpenEmrVersion>, Partial<OpenEmrVersion>][] = [
      [{ database: 540, major: 9 }, { database: 541 }],
      [{ major: 9 }, { major: 10 }],
      [{ minor: 2 }, { minor: 10 }],
      [{ patch: 9 }, { patch: 10 }],
    ];
    for (const [a, b] of older) {
      expect(compareVersions(release(a), release(b))).toBeLessThan(0);
      expect(compareVersions(release(b), release(a))).toBeGreaterThan(0);
    }
    expect(compareVersions(release({ tag: "-dev" }), release({ realPatch: 3 }))).toBe(0);
  });

  it("has one order, whichever way two are compared", () => {
    const any = fc.record({ major: fc.nat(9), minor: fc.nat(9), patch: fc.nat(9), database: fc.nat(9) }).map(release);
    fc.assert(
      fc.property(
        any,
        any,
        (a, b) => Math.sign(compareVersions(a, b)) === Math.sign(-compareVersions(b, a)) || compareVersions(a, b) === 0,
      ),
    );
  });

  it.each([
    [{}, "8.1.0"],
    [{ realPatch: 2 }, "8.1.0 (2)"],
    [{ minor: 2, tag: "-dev" }, "8.2.0-dev"],
  ])("%j is shown as %s", (changes, text) => expect(formatVersion(release(changes))).toBe(text));
});
