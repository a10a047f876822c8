import { randomBytes } from "node:crypto";
import { KeyPairError } from "@openemr-ops/core/errors";
import { newKeySet } from "@openemr-ops/local/estate/newKeySet";
import { encrypt, type KeyVersion, type WritableKeyVersion } from "@openemr-ops/openemr/crypto";
import { readKeySet } from "@openemr-ops/openemr/keys";
import {
  howToSeal,
  openSetting,
  type SettingKeys,
  sealSetting,
  settingProblem,
} from "@openemr-ops/openemr/sealedSetting";
import { newestReadBy, usablePairs } from "@openemr-ops/openemr/sealingVersion";
import type { OpenEmrVersion } from "@openemr-ops/openemr/version";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aKeyedSite, driveKeyPath } from "../../support/keyedSite.ts";
import { sharedVectors } from "../../support/sharedVectors.ts";
import { aTree } from "../../support/sitesTree.ts";
import { sqliteReader, type TestRow } from "../../support/sqliteReader.ts";

const releaseOf = (text: string): OpenEmrVersion => {
  const [numbers = "", tag] = text.split("-");
  const [major = 0, minor = 0, patch = 0] = numbers.split(".").map(Number);
  return { major, minor, patch, realPatch: 0, tag: tag ? `-${tag}` : "", database: 0, acl: 0 };
};

const keysOf = async (
  release: string | undefined,
  drive: Readonly<Record<string, string>>,
  rows: readonly TestRow[],
): Promise<SettingKeys> => {
  const files = Object.entries(drive).map(([name, content]) => [driveKeyPath(name), content] as const);
  const root = await aTree({ "default/documents": null, ...Object.fromEntries(files) });
  const tables = { keys: rows.length > 0 ? rows : { columns: ["id", "name", "value"] } };
  return {
    site: "default",
    keys: await readKeySet(root, "default", sqliteReader(tables)),
    release: release === undefined ? undefined : releaseOf(release),
  };
};
const placeOf = (release: string | undefined, versions: readonly WritableKeyVersion[]): Promise<SettingKeys> => {
  if (versions.length === 0) return keysOf(release, {}, []);
  const { made, tables } = aKeyedSite({ versions, oauth: false });
  return keysOf(release, made.driveFiles, tables.keys);
};

describe("the newest version that a running OpenEMR reads", () => {
  it.each<[release: string | undefined, written: KeyVersion | undefined, reads: KeyVersion | undefined]>([
    ["7.0.4", undefined, 7],
    ["7.0.4", 6, 7],
    ["7.1.0-dev", undefined, 7],
    ["8.2.0-dev", undefined, 7],
    ["10.0.0", undefined, 7],
    ["7.0.3", undefined, 6],
    ["7.0.3", 7, 6],
    ["7.0.10", undefined, 7],
    ["6.0.0", undefined, 6],
    ["6.1.0-dev", undefined, 6],
    // Before its first release, the code may read a version or not: what it wrote shows it.
    ["7.0.4-dev", undefined, 6],
    ["7.0.4-dev", 6, 6],
    ["7.0.4-dev", 7, 7],
    ["6.0.0-dev", 5, 5],
    ["6.0.0-dev", 6, 6],
    ["5.0.2", undefined, 5],
    ["5.0.2", 7, 5],
    // Nobody knows the release.
    [undefined, 6, 6],
    [undefined, 2, 2],
    [undefined, undefined, undefined],
    ["0.0.0", 7, 7],
    ["0.0.0", undefined, undefined],
  ])("of release %s that wrote %s is %s", (release, written, reads) => {
    expect(newestReadBy(release === undefined ? undefined : releaseOf(release), written)).toBe(reads);
  });
});

describe("a new value of a setting", () => {
  it.each<{ release: string | undefined; pairs: WritableKeyVersion[]; written?: KeyVersion; version: number }>([
    { release: "7.0.3", pairs: [6, 7], version: 6 },
    { release: "7.0.4", pairs: [6, 7], version: 7 },
    { release: "8.1.0", pairs: [6], version: 6 },
    { release: "5.0.2", pairs: [4, 5, 6], version: 5 },
    { release: "5.0.1", pairs: [4], version: 4 },
    { release: undefined, pairs: [5, 6, 7], written: 6, version: 6 },
    { release: undefined, pairs: [5, 7], written: 6, version: 5 },
  ])("for release $release with pairs $pairs is sealed with version $version", async (one) => {
    const place = await placeOf(one.release, one.pairs);
    const how = howToSeal(place, { written: one.written, encrypts: true });
    expect(how).toEqual({ version: one.version });
    const sealed = sealSetting("of the clinic", how, place, randomBytes(16));
    expect(openSetting("SMTP_PASS", sealed, place)).toEqual({ text: "of the clinic", version: one.version });
  });

  it("fits into OpenEMR's column and opens again, whatever it is, as long as OpenEMR keeps it", async () => {
    const place = await placeOf("8.1.0", [4, 5, 6, 7]);
    const anyText = fc.oneof(
      fc.string({ unit: "binary", maxLength: 130 }),
      fc.string({ unit: "grapheme", maxLength: 60 }),
    );
    fc.assert(
      fc.property(anyText, fc.constantFrom<WritableKeyVersion>(4, 5, 6, 7), (text, version) => {
        fc.pre(settingProblem(text) === undefined);
        const sealed = sealSetting(text, { version }, place, randomBytes(16));
        expect(sealed.length).toBeLessThanOrEqual(255);
        expect(openSetting("SMTP_PASS", sealed, place)).toEqual({ text, version });
        // As it is in clear, OpenEMR's page of settings would show and save it unchanged.
        expect(openSetting("SMTP_PASS", text, place)).toEqual({ text, version: undefined });
      }),
    );
  });

  it.each<{ release: string | undefined; pairs: WritableKeyVersion[]; written?: KeyVersion; message: RegExp }>([
    {
      release: "7.0.3",
      pairs: [7],
      written: 7,
      message: /reads no version above 6, and .* pairs are of 7; correct table/,
    },
    {
      release: undefined,
      pairs: [6, 7],
      message: /unknown release .*: nothing shows which versions it reads, and .* of 7, 6/,
    },
    { release: undefined, pairs: [4], written: 2, message: /no version above 2/ },
    { release: "8.1.0", pairs: [], message: /no key pair of version 4 or newer; enter the value again/ },
  ])("for release $release with pairs $pairs is refused", async ({ release, pairs, written, message }) => {
    const place = await placeOf(release, pairs);
    const seal = () => howToSeal(place, { written, encrypts: true });
    expect(seal).toThrow(KeyPairError);
    expect(seal).toThrow(message);
  });

  it("uses no pair of which one side is broken, and no half of one", async () => {
    const site = aKeyedSite({ versions: [6, 7], oauth: false });
    const { sevenb, ...half } = site.made.driveFiles;
    const foreign = newKeySet(randomBytes, { oauth: false }).driveFiles.sevenb ?? "";
    for (const drive of [half, { ...half, sevenb: "broken" }, { ...half, sevenb: foreign }]) {
      const place = await keysOf("8.1.0", drive, site.tables.keys);
      expect(howToSeal(place, { written: undefined, encrypts: true })).toEqual({ version: 6 });
    }
    const whole = await keysOf("8.1.0", { ...half, sevenb: sevenb ?? "" }, site.tables.keys);
    expect(howToSeal(whole, { written: undefined, encrypts: true })).toEqual({ version: 7 });
    // Version 4 has keys in clear on both sides, of which neither opens the other: both have to be there.
    const four = aKeyedSite({ versions: [4], oauth: false });
    const place = await keysOf("5.0.1", four.made.driveFiles, []);
    expect(() => howToSeal(place, { written: undefined, encrypts: true })).toThrow(/no key pair of version 4/);
  });
});

describe("a setting that does not open", () => {
  it("because what comes out is no text is named", async () => {
    const place = await placeOf("8.1.0", [7]);
    const sealed = encrypt(Buffer.from([0xff, 0xfe, 0x80]), {
      version: 7,
      keys: place.keys.keys.drive,
      iv: randomBytes(16),
    });
    expect(() => openSetting("SMTP_PASS", sealed, place)).toThrow(/what comes out is no text/);
  });

  it.each([1, 2, 3])("because the keys of version %s are gone is named", async (version) => {
    const place = await placeOf("8.1.0", [7]);
    const value = `00${version}${randomBytes(96).toString("base64")}`;
    expect(() => openSetting("SMTP_PASS", value, place)).toThrow(
      new RegExp(
        `SMTP_PASS does not open: neither drive keys nor rows of table keys of version ${version} exist; restore`,
      ),
    );
  });
});

it.each([
  ["Correct-Horse-1", undefined],
  ["007", /begins with 007/],
  ["008x", undefined],
  ["é".repeat(55), undefined],
  ["é".repeat(56), /more than 111 bytes/],
  ["m".repeat(111), undefined],
  ["m".repeat(112), /more than 111 bytes/],
  ["\u00a0x", /white space/],
  ["x\ny", /control character/],
  ["\ud800", /no text in UTF-8/],
  ["00", undefined],
  ["0", /takes for nothing/],
])("the value %j of a setting is kept by OpenEMR, or not: %s", (text, problem) => {
  if (problem === undefined) expect(settingProblem(text)).toBeUndefined();
  else expect(settingProblem(text)).toMatch(problem);
});

interface CryptogenVectors {
  plaintexts: Record<string, { b64: string; bytes: number }>;
  keysets: { id: string; drive_files: Record<string, string>; keys_rows: { name: string; value: string }[] }[];
  vectors: {
    keyset: string;
    version: string;
    key_source: string;
    plaintext: string;
    ciphertext: string;
    iv_hex: string;
  }[];
  negative: {
    keyset: string;
    case: string;
    key_source: string;
    input: string;
    decrypt_from_database?: { value?: string; throws?: string };
  }[];
  globals: { keyset: string; plaintext: string; gl_value_written: string; gl_value_stored_same: boolean }[];
}

const asOpenEmrStores = (data: CryptogenVectors) => () => {
  const keyset = (id: string) => data.keysets.find((one) => one.id === id);
  const place = (id: string): Promise<SettingKeys> => {
    const { drive_files, keys_rows } = keyset(id) ?? { drive_files: {}, keys_rows: [] };
    return keysOf(
      "8.2.0-dev",
      drive_files,
      keys_rows.map(({ name, value }, id) => ({ id, name, value })),
    );
  };
  const bytesOf = (name: string) => Buffer.from(data.plaintexts[name]?.b64 ?? "", "base64");

  it(`opens from the files and rows as they are, and is made again byte for byte: ${data.globals.length} rows of globals`, async () => {
    for (const { keyset: id, plaintext, gl_value_written: value, gl_value_stored_same: kept } of data.globals) {
      const keys = await place(id);
      const text = bytesOf(plaintext).toString();
      const stored = value.slice(0, 255);
      expect(settingProblem(text) === undefined).toBe(kept);
      if (!kept) {
        expect(() => openSetting("SMTP_PASS", stored, keys)).toThrow(KeyPairError);
        continue;
      }
      expect(openSetting("SMTP_PASS", stored, keys)).toEqual({ text, version: 7 });
      const iv = Buffer.from(value.slice(3), "base64").subarray(48, 64);
      expect(sealSetting(text, howToSeal(keys, { written: 7, encrypts: true }), keys, iv)).toBe(value);
    }
  });

  const values = data.vectors.filter(({ key_source }) => key_source === "drive");
  it(`opens from every key set in use, of every version: ${values.length} values`, async () => {
    const places = new Map<string, SettingKeys>();
    for (const { keyset: id, plaintext, ciphertext, version } of values) {
      const keys = places.get(id) ?? (await place(id));
      places.set(id, keys);
      const bytes = bytesOf(plaintext);
      const isText = Buffer.from(bytes.toString()).equals(bytes);
      if (!isText) expect(() => openSetting("SMTP_PASS", ciphertext, keys)).toThrow(/no text/);
      else
        expect(openSetting("SMTP_PASS", ciphertext, keys)).toEqual({
          text: bytes.toString(),
          version: Number(version),
        });
    }
    expect(new Set(values.map(({ version }) => version)).size).toBe(7);
  });

  const foreign = data.negative.filter(({ decrypt_from_database }) => decrypt_from_database !== undefined);
  it(`is passed through in clear or does not open, as there: ${foreign.length} other texts`, async () => {
    for (const { keyset: id, input, decrypt_from_database: there } of foreign) {
      const keys = await place(id);
      if (there?.value === undefined) expect(() => openSetting("SMTP_PASS", input, keys)).toThrow(KeyPairError);
      else expect(openSetting("SMTP_PASS", input, keys)).toEqual({ text: there.value, version: undefined });
    }
  });

  const broken = data.negative.filter(({ keyset: id }) =>
    ["mismatch", "keys-rows-lost", "drive-files-lost"].includes(id),
  );
  it(`does not open, and nothing is sealed, with halves that do not fit: ${broken.length} key sets`, async () => {
    expect(broken).toHaveLength(3);
    for (const { keyset: id, input } of broken) {
      const keys = await place(id);
      expect(() => openSetting("SMTP_PASS", input, keys)).toThrow(KeyPairError);
      expect(() => openSetting("SMTP_PASS", input, keys)).toThrow(
        { mismatch: /do not open with the rows/, "keys-rows-lost": /no row sevena, sevenb/ }[id] ??
          /no drive key sevena/,
      );
      expect(() => howToSeal(keys, { written: 7, encrypts: true })).toThrow(KeyPairError);
    }
  });

  it("has a pair for each version that a release writes, from the files and rows as they are", async () => {
    const all = { "all-versions": [7, 6, 5, 4], "fresh-seven": [7], "old-six": [6], "six-then-seven": [7, 6] };
    for (const [id, pairs] of Object.entries({ ...all, "all-versions-newline": [7, 6, 5, 4], mismatch: [] }))
      expect([id, usablePairs((await place(id)).keys)]).toEqual([id, pairs]);
  });
};
const vectors = sharedVectors<CryptogenVectors>("cryptogen.json");
if (vectors) describe("a setting that OpenEMR's own classes sealed", asOpenEmrStores(vectors));
