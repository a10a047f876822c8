import { randomBytes } from "node:crypto";
import { newKeySet } from "@openemr-ops/local/estate/newKeySet";
import { decodeKey, encrypt, keyLabels } from "@openemr-ops/openemr/crypto";
import { type KeyProof, newProblems, proveKeys } from "@openemr-ops/openemr/keyProof";
import { readKeySet } from "@openemr-ops/openemr/keys";
import { describe, expect, it } from "vitest";
import { aKeyedSite, certificatePath, driveKeyPath, type KeyedSite } from "../../support/keyedSite.ts";
import { sharedVectors } from "../../support/sharedVectors.ts";
import { aTree } from "../../support/sitesTree.ts";
import { sqliteReader, type TestRow } from "../../support/sqliteReader.ts";

const proofOf = async ({ files, tables }: Pick<KeyedSite, "files"> & { tables: Record<string, TestRow[]> }) =>
  proveKeys({ sitesPath: await aTree(files), database: sqliteReader(tables), sites: ["default"] });
const codesOf = ({ problems }: KeyProof) => [...new Set(problems.map(({ code }) => code))].sort();
const without = (site: KeyedSite, ...names: string[]) => {
  site.tables.keys = site.tables.keys.filter(({ name }) => !names.includes(`${name}`));
};
const setKey = (site: KeyedSite, name: string, value: string) => {
  site.tables.keys = site.tables.keys.map((row) => (row.name === name ? { ...row, value } : row));
};

describe("the key proof", () => {
  it("finds that everything opens on a whole site", async () => {
    expect(await proofOf(aKeyedSite())).toEqual({
      status: "proven",
      problems: [],
      sites: [
        {
          site: "default",
          driveVersions: [7],
          databaseVersions: [7],
          openedVersions: [7],
          oauth: "opens",
          values: { found: 1, opened: 1 },
          documents: { sampled: 1, opened: 1 },
        },
      ],
    });
  });

  it("finds that everything opens on a site that grew through releases", async () => {
    const proof = await proofOf(aKeyedSite({ versions: [4, 5, 6, 7] }));
    expect(proof.status).toBe("proven");
    expect(proof.sites[0]?.openedVersions).toEqual([4, 5, 6, 7]);
  });

  it("asks nothing of a site that never used encryption, nor of a release without the tables", async () => {
    const site = aKeyedSite({ oauth: false });
    const files = { "default/sqlconf.php": site.files["default/sqlconf.php"] ?? "" };
    const proof = await proofOf({ files, tables: {} });
    expect(proof).toMatchObject({ status: "proven", sites: [{ oauth: "never-used", openedVersions: [] }] });
  });

  it.each<{ broken: string; breakIt: (site: KeyedSite) => void; codes: string[]; status: KeyProof["status"] }>([
    {
      broken: "the drive keys are lost",
      breakIt: (site) => {
        for (const name of ["sevena", "sevenb"]) delete site.files[driveKeyPath(name)];
      },
      codes: ["drive-key-missing", "oauth-does-not-open", "value-does-not-open"],
      status: "failed",
    },
    {
      broken: "one drive key of the pair is lost and nothing needs it yet",
      breakIt: (site) => {
        delete site.files[driveKeyPath("sevenb")];
        site.tables.globals = [{ gl_name: "x", gl_index: 0, gl_value: "" }];
        without(site, "oauth2key", "oauth2passphrase");
        for (const name of ["oaprivate.key", "oapublic.key"]) delete site.files[certificatePath(name)];
      },
      codes: ["drive-key-missing"],
      status: "incomplete",
    },
    {
      broken: "the rows of table keys are lost",
      breakIt: (site) => without(site, "sevena", "sevenb"),
      codes: ["database-key-missing", "document-does-not-open", "oauth-does-not-open", "value-does-not-open"],
      status: "failed",
    },
    {
      broken: "the drive keys are another site's",
      breakIt: (site) => {
        const other = newKeySet(randomBytes, { oauth: false });
        for (const [name, content] of Object.entries(other.driveFiles)) site.files[driveKeyPath(name)] = content;
      },
      codes: ["drive-key-does-not-open", "oauth-does-not-open", "value-does-not-open"],
      status: "failed",
    },
    {
      broken: "the drive keys open but are not those that sealed",
      breakIt: (site) => {
        for (const name of ["sevena", "sevenb"]) {
          const iv = randomBytes(16);
          site.files[driveKeyPath(name)] = encrypt(randomBytes(32), { version: 7, keys: site.made.keys.database, iv });
        }
      },
      codes: ["oauth-does-not-open", "value-does-not-open"],
      status: "failed",
    },
    {
      broken: "a drive key file is cut short",
      breakIt: (site) => {
        site.files[driveKeyPath("sevena")] = (site.made.driveFiles.sevena ?? "").slice(0, 30);
      },
      codes: ["drive-key-does-not-open", "oauth-does-not-open", "value-does-not-open"],
      status: "failed",
    },
    {
      broken: "a row of table keys is no key",
      breakIt: (site) => setKey(site, "sevena", "AAAA"),
      codes: ["database-key-malformed", "document-does-not-open", "oauth-does-not-open", "value-does-not-open"],
      status: "failed",
    },
    {
      broken: "an old version's drive key in clear is no key",
      breakIt: (site) => {
        site.files[driveKeyPath("one")] = "not a key";
      },
      codes: ["drive-key-does-not-open"],
      status: "failed",
    },
    {
      broken: "a setting was cut by its column",
      breakIt: (site) => {
        site.tables.globals = site.tables.globals.map((row) => ({ ...row, gl_value: `${row.gl_value}`.slice(0, 90) }));
      },
      codes: ["value-does-not-open"],
      status: "failed",
    },
    {
      broken: "the document was sealed with other keys",
      breakIt: (site) => {
        const { keys } = newKeySet(randomBytes, { oauth: false });
        site.files["default/documents/12/one"] = encrypt(Buffer.from("x"), {
          version: 7,
          keys: keys.database,
          iv: randomBytes(16),
        });
      },
      codes: ["document-does-not-open"],
      status: "failed",
    },
    ...["oaprivate.key", "oapublic.key"].map((name) => ({
      broken: `${name} is lost`,
      breakIt: (site: KeyedSite) => void delete site.files[certificatePath(name)],
      codes: ["oauth-incomplete"],
      status: "incomplete" as const,
    })),
    ...["oauth2key", "oauth2passphrase"].map((name) => ({
      broken: `row ${name} is lost`,
      breakIt: (site: KeyedSite) => without(site, name),
      codes: ["oauth-incomplete"],
      status: "incomplete" as const,
    })),
    {
      broken: "the public key belongs to another private key",
      breakIt: (site) => {
        const other = newKeySet(randomBytes).certificateFiles["oapublic.key"] ?? "";
        site.files[certificatePath("oapublic.key")] = other;
      },
      codes: ["oauth-does-not-open"],
      status: "failed",
    },
    {
      broken: "the private key has another passphrase",
      breakIt: (site) => {
        const iv = randomBytes(16);
        setKey(site, "oauth2passphrase", encrypt(Buffer.from("x"), { version: 7, keys: site.made.keys.drive, iv }));
      },
      codes: ["oauth-does-not-open"],
      status: "failed",
    },
  ])("says $codes when $broken", async ({ breakIt, codes, status }) => {
    const whole = aKeyedSite();
    const before = await proofOf(whole);
    breakIt(whole);
    const after = await proofOf(whole);
    expect(codesOf(after)).toEqual(codes);
    expect(after.status).toBe(status);
    expect(newProblems(before, after).map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
    expect(newProblems(after, after)).toEqual([]);
  });

  it("holds no key, value or content, broken or not", async () => {
    const site = aKeyedSite();
    const secrets = [...site.made.keys.drive.values(), ...site.made.keys.database.values()].flatMap((key) => [
      key.toString("base64"),
      key.toString("hex"),
    ]);
    const proofs = [await proofOf(site)];
    delete site.files[driveKeyPath("sevena")];
    proofs.push(await proofOf(site));
    const text = JSON.stringify(proofs);
    for (const secret of [...secrets, `${site.tables.globals[0]?.gl_value}`, "the mail password", "documents/12"]) {
      expect(text).not.toContain(secret);
    }
  });

  it("needs several documents that do not open before it blames the keys for one", async () => {
    const site = aKeyedSite();
    const bad = encrypt(Buffer.from("x"), {
      version: 7,
      keys: newKeySet(randomBytes, { oauth: false }).keys.database,
      iv: randomBytes(16),
    });
    site.files["default/documents/12/two"] = bad;
    site.tables.documents.push({ ...site.tables.documents[0], id: 2, url: "file:///x/documents/12/two" });
    expect(await proofOf(site)).toMatchObject({ status: "proven", sites: [{ documents: { sampled: 2, opened: 1 } }] });
  });
});

describe("what was lost between two proofs", () => {
  it("leaves out what the source never had", async () => {
    const site = aKeyedSite();
    delete site.files[certificatePath("oapublic.key")];
    const before = await proofOf(site);
    expect(before.status).toBe("incomplete");
    expect(newProblems(before, await proofOf(site))).toEqual([]);
  });

  it("names what is gone so wholly that the second proof alone looks fine", async () => {
    const site = aKeyedSite({ versions: [6, 7] });
    const before = await proofOf(site);
    const files = { "default/sqlconf.php": site.files["default/sqlconf.php"] ?? "" };
    const after = await proofOf({ files, tables: {} });
    expect(after.status).toBe("proven");
    expect(newProblems(before, after).map(({ code, subject }) => `${code}: ${subject}`)).toEqual([
      "drive-key-missing: version 6",
      "drive-key-missing: version 7",
      "database-key-missing: version 6",
      "database-key-missing: version 7",
      "oauth-incomplete: oauth",
      "document-does-not-open: documents",
    ]);
  });

  it("names a site that is no longer there", async () => {
    const before = await proofOf(aKeyedSite());
    const after: KeyProof = { status: "proven", sites: [], problems: [] };
    expect(newProblems(before, after)).toMatchObject([{ code: "site-missing", site: "default" }]);
  });
});

interface KeysetVectors {
  keysets: {
    id: string;
    drive_files: Record<string, string> | [];
    keys_rows: { name: string; value: string }[];
    raw_keys_hex: Record<"drive" | "database", Record<string, string>> | null;
  }[];
}
const expectedCodes: Readonly<Record<string, string[]>> = {
  mismatch: ["drive-key-does-not-open"],
  "keys-rows-lost": ["database-key-missing"],
  "drive-files-lost": ["drive-key-missing"],
};
const whatOpenEmrKeeps =
  ({ keysets }: KeysetVectors) =>
  () => {
    for (const { id, drive_files, keys_rows, raw_keys_hex } of keysets) {
      it(`is read and judged: ${id}`, async () => {
        const files = Object.fromEntries(Object.entries(drive_files).map(([name, text]) => [driveKeyPath(name), text]));
        const sitesPath = await aTree(files);
        const database = sqliteReader({
          keys:
            keys_rows.length > 0
              ? keys_rows.map((row, index) => ({ id: index, ...row }))
              : { columns: ["id", "name", "value"] },
        });
        const proof = await proveKeys({ sitesPath, database, sites: ["default"] });
        expect(codesOf(proof)).toEqual(expectedCodes[id] ?? []);

        const { keys } = await readKeySet(sitesPath, "default", database);
        for (const label of raw_keys_hex ? keyLabels : []) {
          expect(keys.drive.get(label)?.toString("hex")).toBe(raw_keys_hex?.drive[label]);
          const row = keys_rows.find(({ name }) => name === label);
          expect(keys.database.get(label)).toEqual(row && decodeKey(row.value));
        }
      });
    }
  };
const vectors = sharedVectors<KeysetVectors>("cryptogen.json");
if (vectors) describe("what OpenEMR's own classes keep of keys", whatOpenEmrKeeps(vectors));
