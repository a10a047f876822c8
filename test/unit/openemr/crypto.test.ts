import { randomBytes } from "node:crypto";
import { newKeySet } from "@openemr-ops/local/estate/newKeySet";
import {
  decodeKey,
  decrypt,
  encrypt,
  type KeyLabel,
  type KeySet,
  type KeySource,
  keyLabels,
  looksEncrypted,
  versionOf,
} from "@openemr-ops/openemr/crypto";
import { DoesNotOpen, decryptPieces, startsEncrypted } from "@openemr-ops/openemr/decryptPieces";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedVectors } from "../../support/sharedVectors.ts";

const versions = [4, 5, 6, 7] as const;
const { keys } = newKeySet(randomBytes, { versions, oauth: false });
const other = newKeySet(randomBytes, { versions, oauth: false }).keys;
const flip = (text: string, index: number) => {
  const bytes = Buffer.from(text.slice(3), "base64");
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return text.slice(0, 3) + bytes.toString("base64");
};

/** What `decrypt` answers, from a file that is read in pieces of these sizes. */
const decryptedInPieces = async (
  text: string,
  from: KeySet,
  sizes: readonly number[],
  source: KeySource = "database",
) => {
  const bytes = Buffer.from(text, "latin1");
  const pieces = async function* () {
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  };
  const clear: Buffer[] = [];
  try {
    for await (const piece of decryptPieces(pieces(), { drive: from.drive, database: from[source] })) clear.push(piece);
    return { opened: true, plaintext: Buffer.concat(clear) };
  } catch (error) {
    if (error instanceof DoesNotOpen) return { opened: false, reason: error.reason };
    throw error;
  }
};

describe("an encrypted file in pieces", () => {
  it("opens as the whole does, wherever it is cut, and with white space", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(...versions),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
        async (bytes, version, sizes) => {
          const sealed = encrypt(Buffer.from(bytes), { version, keys: keys.database, iv: randomBytes(16) });
          expect(startsEncrypted(Buffer.from(sealed))).toBe(true);
          const opened = { opened: true, plaintext: Buffer.from(bytes) };
          expect(await decryptedInPieces(sealed, keys, sizes)).toEqual(opened);
          const spaced = `${sealed.slice(0, 80)}\r\n${sealed.slice(80)} \n`;
          expect(await decryptedInPieces(spaced, keys, sizes)).toEqual(opened);
        },
      ),
    );
  });

  it("does not open when a byte was altered, lost or put in, or its keys are not there", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom("flip", "cut", "put in", "instead", "keys", "none"),
        fc.constantFrom(..."!-_=.\u00e9\0"),
        async (at, what, foreign) => {
          const sealed = encrypt(Buffer.from("of a patient"), { version: 7, keys: keys.database, iv: randomBytes(16) });
          const place = 3 + (at % (sealed.length - 4)); // before the padding, which is optional
          const altered = {
            flip: flip(sealed, at % 80),
            cut: sealed.slice(0, place),
            "put in": `${sealed.slice(0, place)}${foreign}${sealed.slice(place)}`,
            instead: `${sealed.slice(0, place)}${foreign}${sealed.slice(place + 1)}`,
            keys: sealed,
            none: sealed,
          }[what];
          const none: KeySet = { drive: new Map(), database: new Map() };
          const from = what === "keys" ? other : what === "none" ? none : keys;
          expect(decrypt(altered, from, "database").opened).toBe(false);
          expect((await decryptedInPieces(altered, from, [1 + (at % 50)])).opened).toBe(false);
        },
      ),
    );
  });

  it("differs from text that merely begins with a version", () => {
    for (const text of ["", "007", "007 Clinic", "0071234", `007${"a".repeat(60)} and more of it, as people write`])
      expect(startsEncrypted(Buffer.from(text))).toBe(false);
  });
});

describe("a ciphertext", () => {
  it("opens with the keys that sealed it and with no others", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...versions), (bytes, version) => {
        const plaintext = Buffer.from(bytes);
        const sealed = encrypt(plaintext, { version, keys: keys.drive, iv: randomBytes(16) });
        expect(versionOf(sealed)).toBe(version);
        expect(looksEncrypted(sealed)).toBe(true);
        expect(decrypt(sealed, keys, "drive")).toEqual({ opened: true, plaintext });
        expect(decrypt(sealed, keys, "database")).toEqual({ opened: false, reason: "wrong-key" });
        expect(decrypt(sealed, other, "drive")).toEqual({ opened: false, reason: "wrong-key" });
      }),
    );
  });

  it("is as long as the settings column allows: 239 characters for 111 bytes, 259 for 112", () => {
    const seal = (bytes: number) =>
      encrypt(Buffer.alloc(bytes, "a"), { version: 7, keys: keys.drive, iv: Buffer.alloc(16) });
    expect([0, 15, 16, 111, 112].map((bytes) => seal(bytes).length)).toEqual([111, 111, 131, 239, 259]);
  });

  it("that was altered in any byte does not open", () => {
    const sealed = encrypt(Buffer.from("secret"), { version: 7, keys: keys.drive, iv: randomBytes(16) });
    for (let index = 0; index < 80; index++) {
      expect(decrypt(flip(sealed, index), keys, "drive")).toEqual({ opened: false, reason: "wrong-key" });
    }
  });

  it("may have white space inside and lack its padding", () => {
    const sealed = encrypt(Buffer.from("x".repeat(20)), { version: 6, keys: keys.database, iv: randomBytes(16) });
    const wrapped = `${sealed.slice(0, 40)}\r\n ${sealed.slice(40).replace(/=+$/, "")}\n`;
    expect(decrypt(wrapped, keys, "database").opened).toBe(true);
  });

  it.each([
    ["", "not-ciphertext"],
    ["plain password", "not-ciphertext"],
    ["008AAAA", "not-ciphertext"],
    ["007", "malformed"],
    ["007-not-base64", "malformed"],
    [`007${"A".repeat(40)}`, "malformed"],
    [`007${Buffer.alloc(80).toString("base64")}===`, "malformed"],
    [`001${Buffer.alloc(32).toString("base64")}`, "key-missing"],
    [`003${Buffer.alloc(64).toString("base64")}`, "key-missing"],
  ] as const)("differs from other text: %j is %s", (text, reason) => {
    expect(decrypt(text, keys, "drive")).toEqual({ opened: false, reason });
    expect(looksEncrypted(text)).toBe(reason === "key-missing");
  });

  it("is not made without its key pair, or with an IV of another size", () => {
    const drive = new Map(keys.drive);
    drive.delete("sevenb");
    expect(() => encrypt(Buffer.from("x"), { version: 7, keys: drive, iv: randomBytes(16) })).toThrow(RangeError);
    expect(() => encrypt(Buffer.from("x"), { version: 7, keys: keys.drive, iv: randomBytes(8) })).toThrow(RangeError);
  });
});

describe("a key", () => {
  it("is 32 bytes in base64, and nothing else is", () => {
    expect(decodeKey(`${Buffer.alloc(32, 7).toString("base64")}\n`)).toEqual(Buffer.alloc(32, 7));
    for (const text of ["", "AAAA", Buffer.alloc(31).toString("base64"), `${Buffer.alloc(32).toString("base64")}*`]) {
      expect(decodeKey(text)).toBeUndefined();
    }
  });
});

interface CryptogenVectors {
  plaintexts: Record<string, { b64: string }>;
  keysets: { id: string; raw_keys_hex: Record<KeySource, Partial<Record<KeyLabel, string>>> | null }[];
  vectors: {
    keyset: string;
    version: string;
    key_source: KeySource;
    plaintext: string;
    ciphertext: string;
    iv_hex: string;
  }[];
  negative: {
    keyset: string;
    case: string;
    version: string | null;
    key_source: KeySource;
    input: string;
    head_cryptogen: string;
  }[];
}

const whatOpenEmrMakes = (data: CryptogenVectors) => () => {
  const keySets = new Map<string, KeySet>();
  for (const { id, raw_keys_hex } of data.keysets) {
    const of = (source: KeySource) =>
      new Map(
        keyLabels.flatMap((label) => {
          const hex = raw_keys_hex?.[source][label];
          return hex ? [[label, Buffer.from(hex, "hex")] as const] : [];
        }),
      );
    if (raw_keys_hex) keySets.set(id, { drive: of("drive"), database: of("database") });
  }
  const keysOf = (id: string): KeySet => keySets.get(id) ?? { drive: new Map(), database: new Map() };

  for (const id of keySets.keys()) {
    const vectors = data.vectors.filter(({ keyset }) => keyset === id);
    if (vectors.length === 0) continue;
    it(`opens, ${vectors.length} ciphertexts of key set ${id}, and from version 4 on is made again byte for byte`, async () => {
      for (const { version, key_source, plaintext, ciphertext, iv_hex } of vectors) {
        const bytes = Buffer.from(data.plaintexts[plaintext]?.b64 ?? "", "base64");
        const whole = { opened: true, plaintext: bytes };
        expect(decrypt(ciphertext, keysOf(id), key_source)).toEqual(whole);
        expect(await decryptedInPieces(ciphertext, keysOf(id), [7, 1000], key_source)).toEqual(whole);
        const writable = versions.find((one) => `00${one}` === version);
        if (writable === undefined) continue;
        const iv = Buffer.from(iv_hex, "hex");
        expect(encrypt(bytes, { version: writable, keys: keysOf(id)[key_source], iv })).toBe(ciphertext);
      }
    });
  }

  // A minimum version is an option of OpenEMR's method, not of the data. Text without a prefix is passed through there, and told apart here.
  const negative = data.negative.filter((one) => keySets.has(one.keyset) && !one.case.startsWith("minimum_version"));
  it(`opens or does not open as there: ${negative.length} altered or foreign texts`, async () => {
    for (const { keyset, key_source, input, version, head_cryptogen } of negative) {
      const opened = decrypt(input, keysOf(keyset), key_source);
      expect((await decryptedInPieces(input, keysOf(keyset), [50], key_source)).opened).toBe(opened.opened);
      if (version === null) expect(opened.opened).toBe(false);
      else if (!head_cryptogen.startsWith("b64:")) expect(opened.opened).toBe(false);
      else expect(opened).toEqual({ opened: true, plaintext: Buffer.from(head_cryptogen.slice(4), "base64") });
    }
  });
};
const vectors = sharedVectors<CryptogenVectors>("cryptogen.json");
if (vectors) describe("what OpenEMR's own classes seal", whatOpenEmrMakes(vectors));
