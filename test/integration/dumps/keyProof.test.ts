import { randomBytes } from "node:crypto";
import { cp, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { KeyPairError, RestoredDataDiffersError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { type Manifest, manifestBytes, manifestKey, sealManifest } from "@openemr-ops/dumps/manifest";
import { compareRestored } from "@openemr-ops/dumps/steps/compare";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { assertPassed, verdictOf } from "@openemr-ops/dumps/steps/verdict";
import { newKeySet } from "@openemr-ops/local/estate/newKeySet";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aSource, type Source } from "../../support/aSource.ts";
import { contextFor } from "../../support/dumpContext.ts";

const methods = "default/documents/logs_and_misc/methods";
const certificates = "default/documents/certificates";

interface Copy {
  readonly sitesPath: string;
  readonly query: (sql: string, values?: readonly unknown[]) => Promise<unknown>;
}

/** Ways in which the keys of a site come apart, and the code that the proof has for each. */
const breakages: readonly {
  readonly what: string;
  readonly code: string;
  readonly status: "incomplete" | "failed";
  readonly apply: (copy: Copy) => Promise<unknown>;
}[] = [
  {
    what: "drive keys are those of another installation",
    code: "drive-key-does-not-open",
    status: "failed",
    apply: async ({ sitesPath }) => {
      for (const [name, content] of Object.entries(
        newKeySet(randomBytes, { versions: [6, 7], oauth: false }).driveFiles,
      ))
        await writeFile(join(sitesPath, methods, name), content);
    },
  },
  {
    what: "a drive key is absent",
    code: "drive-key-missing",
    status: "failed",
    apply: ({ sitesPath }) => unlink(join(sitesPath, methods, "sevena")),
  },
  {
    what: "a row of table keys is absent",
    code: "database-key-missing",
    status: "failed",
    apply: ({ query }) => query("DELETE FROM `keys` WHERE name = 'sevenb'"),
  },
  {
    what: "rows of table keys are those of another installation",
    code: "drive-key-does-not-open",
    status: "failed",
    apply: ({ query }) =>
      query("UPDATE `keys` SET value = ? WHERE name IN ('sevena', 'sevenb')", [randomBytes(32).toString("base64")]),
  },
  {
    what: "the private half of the OAuth pair is absent",
    code: "oauth-incomplete",
    status: "incomplete",
    apply: ({ sitesPath }) => unlink(join(sitesPath, certificates, "oaprivate.key")),
  },
  {
    what: "the OAuth passphrase is absent",
    code: "oauth-incomplete",
    status: "incomplete",
    apply: ({ query }) => query("DELETE FROM `keys` WHERE name = 'oauth2passphrase'"),
  },
  {
    what: "the OAuth pair is that of another installation",
    code: "oauth-does-not-open",
    status: "failed",
    apply: async ({ sitesPath }) => {
      const { certificateFiles } = newKeySet(randomBytes);
      for (const [name, content] of Object.entries(certificateFiles))
        await writeFile(join(sitesPath, certificates, name), content);
    },
  },
  {
    what: "the whole set of keys is that of another installation",
    code: "value-does-not-open",
    status: "failed",
    apply: async ({ sitesPath, query }) => {
      const other = newKeySet(randomBytes, { versions: [6, 7] });
      for (const [name, content] of Object.entries(other.driveFiles))
        await writeFile(join(sitesPath, methods, name), content);
      for (const [name, content] of Object.entries(other.certificateFiles))
        await writeFile(join(sitesPath, certificates, name), content);
      for (const { name, value } of other.keysRows)
        await query("UPDATE `keys` SET value = ? WHERE name = ?", [value, name]);
    },
  },
];

let source: Source;
let context: DumpContext;
let manifest: Manifest;
const keysRows: Record<string, string>[] = [];

beforeAll(async () => {
  source = await aSource();
  context = await contextFor({ ...source, dumps: { format: "portable" } });
  await cp(source.sitesPath, join(source.directory, "sound"), { recursive: true, preserveTimestamps: true });
  for (const row of await source.schema.query("SELECT name, value FROM `keys`"))
    keysRows.push({ name: String(row.name), value: String(row.value) });
  manifest = (await takeDump(context)).manifest;
});
afterAll(() => source.remove());

/** The source as it was, keys and files. */
const mend = async (): Promise<void> => {
  for (const folder of [methods, certificates])
    await cp(join(source.directory, "sound", folder), join(source.sitesPath, folder), {
      recursive: true,
      preserveTimestamps: true,
      force: true,
    });
  await source.schema.query("DELETE FROM `keys`");
  for (const { name, value } of keysRows)
    await source.schema.query("INSERT INTO `keys` (name, value) VALUES (?, ?)", [name, value]);
};
const live = (): Copy => ({ sitesPath: source.sitesPath, query: source.schema.query });

describe("a source whose keys came apart before the dump", () => {
  beforeEach(mend);
  afterAll(mend);

  it("has nothing to be warned of while they fit", () => {
    expect(manifest.keyProof).toMatchObject({ status: "proven", problems: [] });
    expect(manifest.warnings.filter(({ code }) => /key|oauth|open/.test(code))).toEqual([]);
  });

  it.each(breakages)(
    "is dumped with a warning, and a drill holds it to that: $what",
    async ({ code, status, apply }) => {
      await apply(live());
      const taken = await takeDump(context);

      expect(taken.complete).toBe(true);
      expect(taken.manifest.keyProof.status).toBe(status);
      const warning = taken.manifest.warnings.find((each) => each.code === code);
      expect(warning?.message).toMatch(/^site default: (?!site)/);
      for (const { value } of keysRows) expect(JSON.stringify(taken.manifest)).not.toContain(value);

      const verdict = await drillDump(context, taken.dumpId);
      expect(verdict).toMatchObject({ verdict: "passed", keyProof: status, differences: [] });
      expect(verdict.warnings).toEqual(taken.manifest.warnings);
    },
  );

  it("fails a drill for what came apart since, beside what already was", async () => {
    const [first, other] = [breakages[4], breakages[2]];
    await first?.apply(live());
    const before = (await takeDump(context)).manifest;
    await other?.apply(live());
    const after = (await takeDump(context)).manifest;

    await plant(before, { sites: after.sites, database: after.database });
    await expect(drillDump(context, before.dumpId)).rejects.toThrow(KeyPairError);
    await expect(drillDump(context, before.dumpId)).rejects.not.toThrow(/OAuth/);
  });
});

/** Copies a half of another dump into this one's folder, the only place where its manifest may name one. */
const ownCopyOf = async <Half extends Manifest["database" | "sites"]>(own: Manifest, half: Half): Promise<Half> => {
  const { part } = half;
  const body = part.kind === "object" ? await context.destination.get(part.key) : undefined;
  if (part.kind !== "object" || !body) throw new Error("portable dumps lie in objects");
  const key = `portable/${own.dumpId}/other-${basename(part.key)}`;
  await context.destination.put(key, body);
  return { ...half, part: { ...part, key } };
};

/** Puts a manifest in the place of a dump's own, as somebody with the key could: with other halves, and a seal that fits. */
const plant = async (own: Manifest, { sites, database, ...changes }: Partial<Manifest>): Promise<void> => {
  const {
    digest: _,
    seal: _seal,
    ...rest
  } = {
    ...own,
    ...changes,
    ...(sites ? { sites: await ownCopyOf(own, sites) } : {}),
    ...(database ? { database: await ownCopyOf(own, database) } : {}),
  };
  const bytes = manifestBytes(sealManifest(rest, await context.store.seal()));
  await context.destination.put(manifestKey(context.installation, own.dumpId), bytes);
};

describe("a restored copy whose keys are not those of the dump", () => {
  const intoDatabase = () => `${source.schema.name}_copy`;
  const intoSites = () => join(source.directory, "copy");
  const access = () => ({ ...context.restoreDatabase, name: intoDatabase() });
  beforeEach(async () => {
    await source.schema.query(`DROP DATABASE IF EXISTS \`${intoDatabase()}\``);
    await rm(intoSites(), { recursive: true, force: true });
    await restoreDump(context, { dump: manifest.dumpId, intoDatabase: intoDatabase(), intoSites: intoSites() });
  });
  const copy = (): Copy => ({
    sitesPath: intoSites(),
    query: async (sql, values) =>
      source.schema.query(sql.replaceAll("`keys`", `\`${intoDatabase()}\`.\`keys\``), values),
  });
  const judge = async () => {
    const comparison = await compareRestored(context, access(), intoSites(), manifest);
    const seconds = { database: 0, sites: 0, restore: 0, compare: 0 };
    const target = { database: intoDatabase(), sites: intoSites() };
    return { comparison, verdict: verdictOf(manifest, target, comparison, seconds, []) };
  };

  it("passes while it is as it was restored", async () => {
    const { verdict } = await judge();
    expect(verdict).toMatchObject({ verdict: "passed", keyProof: "proven" });
    expect(() => assertPassed(verdict)).not.toThrow();
  });

  it.each(breakages)("fails with an error of its own: $what", async ({ status, apply }) => {
    await apply(copy());
    const { comparison, verdict } = await judge();

    expect(comparison.keyProof).toBe(status);
    expect(comparison.differences.map(({ kind }) => kind)).toContain("keys");
    expect(verdict.verdict).toBe("failed");
    expect(() => assertPassed(verdict)).toThrow(KeyPairError);
    expect(() => assertPassed(verdict)).toThrow(/: keys site default: (?!site)/);
  });

  it("fails with another error when rows or files alone differ", async () => {
    const file = join(intoSites(), "default/clickoptions.txt");
    await writeFile(file, `${await readFile(file, "utf8")}one more\n`);
    const { verdict } = await judge();
    expect(verdict.differences).toMatchObject([{ kind: "files", subject: "sites" }]);
    expect(() => assertPassed(verdict)).toThrow(RestoredDataDiffersError);
  });

  it("fails a drill when the tree is that of a dump with other keys", async () => {
    const { code, apply } = breakages[0] as (typeof breakages)[number];
    await apply(live());
    const other = (await takeDump(context)).manifest;
    await mend();
    const own = (await takeDump(context)).manifest;
    expect(other.keyProof.problems.map((problem) => problem.code)).toContain(code);

    await plant(own, { sites: other.sites });
    await expect(drillDump(context, own.dumpId)).rejects.toThrow(KeyPairError);
    await expect(
      restoreDump(context, { dump: own.dumpId, intoDatabase: `${intoDatabase()}2`, intoSites: `${intoSites()}2` }),
    ).rejects.toThrow(KeyPairError);
  });
});
