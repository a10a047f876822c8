import { mkdtemp, open, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isExcluded } from "@openemr-ops/openemr/sitesLayout";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { aWorkDirectory, type contextFor, resticsHere } from "../../support/dumpContext.ts";
import { anOddTree, leftOut } from "../../support/oddTree.ts";
import { roundTrip } from "../../support/roundTrip.ts";
import { aSite } from "../../support/sitesTree.ts";
import { type EntryImage, treeImage } from "../../support/treeImage.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
let schema: FreshSchema;
let tree: string;
beforeAll(async () => {
  work = await aWorkDirectory();
  schema = await freshSchema();
  await schema.query("CREATE TABLE t (id int PRIMARY KEY)");
  tree = join(work.path, "odd sites [*]");
  await anOddTree(tree, schema.name);
  const identity = await generateX25519Identity();
  await writeFile(join(work.path, "identity"), `${identity}\n`, { mode: 0o600 });
  recipient.push(await identityToRecipient(identity));
});
afterAll(async () => {
  await schema.drop();
  await work.remove();
});
const recipient: string[] = [];

interface Form {
  readonly form: string;
  readonly restic?: string;
  dumps(): NonNullable<Parameters<typeof contextFor>[0]["dumps"]>;
}
const forms: readonly Form[] = [
  ...resticsHere().map(({ name, restic }) => ({ form: name, restic, dumps: () => ({ format: "restic" as const }) })),
  { form: "a portable set, gzip", dumps: () => ({ format: "portable", compression: "gzip" }) },
  { form: "a portable set, zstd", dumps: () => ({ format: "portable", compression: "zstd" }) },
  {
    form: "a portable set, zstd and age",
    dumps: () => ({
      format: "portable",
      compression: "zstd",
      ageRecipients: recipient,
      ageIdentityFile: join(work.path, "identity"),
    }),
  },
];

/** Restores a tree that was dumped in one form; the schema `t…_copy` is free again afterwards. */
const thereAndBack = async (sitesPath: string, { restic, dumps }: Form) => {
  const directory = await mkdtemp(join(work.path, "trip-"));
  const options = { schema, sitesPath, directory, dumps: dumps(), ...(restic === undefined ? {} : { restic }) };
  try {
    return { ...(await roundTrip(options)), directory };
  } finally {
    await schema.query(`DROP DATABASE IF EXISTS ${schema.name}_copy`);
  }
};

/** The time of the directory that a pipe was taken out of is put back to the microsecond. */
const comparable = ({ default: site, ...image }: Readonly<Record<string, EntryImage>>) => ({
  ...image,
  default: site && { ...site, mtime: Math.round(Number(site.mtime) / 10_000) },
});
/** What a dump carries and a restore makes: no pipes, and no set-user or sticky bits of files. */
const carried = (image: Readonly<Record<string, EntryImage>>) =>
  Object.fromEntries(
    Object.entries(image)
      .filter(([path, { type }]) => type !== "fifo" && !isExcluded(Buffer.from(path, "latin1").toString()))
      .map(([path, entry]) => [path, entry.type === "file" ? { ...entry, mode: entry.mode.slice(-3) } : entry]),
  );

describe.each(forms)("a sites tree with everything odd, dumped with $form", (form) => {
  it("comes back with every name, byte, mode, owner, time and link, without caches and swarm files", async () => {
    const before = treeImage(tree);
    const { sites, verdict, manifest, directory } = await thereAndBack(tree, form);
    const after = treeImage(sites);

    expect(comparable(after)).toEqual(comparable(carried(before)));
    expect(leftOut.filter((path) => after[path] !== undefined)).toEqual([]);
    expect(after["default/documents/smarty/main"]?.type).toBe("directory");
    expect(treeImage(tree)).toEqual(before);
    expect(verdict.verdict).toBe("passed");
    expect(manifest.sites.files).toBe(Object.values(after).filter(({ type }) => type === "file").length);
    expect(manifest.sites.vanished).toBe(0);
    await rm(directory, { recursive: true });
  });
});

describe.each(forms.filter(({ form }) => /current|zstd$/.test(form)))(
  "a file of more than 4 GiB, dumped with $form",
  (form) => {
    it("comes back with its size, its last bytes, and without filling the disk", { timeout: 180_000 }, async () => {
      const size = 4200 * 1024 * 1024;
      const root = join(work.path, `sparse ${form.form}`);
      await aSite(root, schema.name);
      const large = join(root, "default/documents/large");
      await writeFile(large, "first");
      await truncate(large, size);
      await writeFile(large, "last", { flag: "a" });

      const { sites, verdict, manifest, directory } = await thereAndBack(root, form);
      const restored = join(sites, "default/documents/large");
      const { size: sizeAfter, blocks } = await stat(restored);
      await using file = await open(restored);
      const { buffer } = await file.read(Buffer.alloc(4), 0, 4, size);

      expect(sizeAfter).toBe(size + 4);
      expect(buffer.toString()).toBe("last");
      expect(blocks * 512).toBeLessThan(size / 10);
      expect(verdict.verdict).toBe("passed");
      expect(manifest.sites.byteLength).toBeGreaterThan(size);
      await rm(directory, { recursive: true });
    });
  },
);
