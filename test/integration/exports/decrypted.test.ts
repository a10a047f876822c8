import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@openemr-ops/database/connection";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { versionOf } from "@openemr-ops/openemr/crypto";
import { documentFile } from "@openemr-ops/openemr/documentFile";
import { readKeySet } from "@openemr-ops/openemr/keys";
import { operations } from "@openemr-ops/task/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runInMemory } from "../../support/commandLine.ts";
import { accessOf, type FreshSchema, freshSchema, tlsOf } from "../../support/database.ts";

let directory: string;
let schema: FreshSchema;
let estate: Estate;
const users = ["export", "without_keys"] as const;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-decrypted-"));
  schema = await freshSchema();
  const { host, port, user, password, name } = schema;
  const database = { host, port, user, password, name };
  estate = await buildEstate({ directory: join(directory, "estate"), database, seed: "decrypted", size: "tiny" });
  for (const [role, granted] of [
    [users[0], "*"],
    [users[1], "documents"],
  ] as const) {
    await schema.query(`CREATE USER ${sqlName(`${name}_${role}`)}@'%' IDENTIFIED BY 'export'`);
    await schema.query(`GRANT SELECT ON ${sqlName(name)}.${granted} TO ${sqlName(`${name}_${role}`)}@'%'`);
  }
}, 120_000);
afterAll(async () => {
  for (const role of users) await schema?.query(`DROP USER IF EXISTS ${sqlName(`${schema.name}_${role}`)}@'%'`);
  await schema?.drop();
  await rm(directory, { recursive: true, force: true });
});

const run = async (
  args: readonly string[],
  documents: "decrypted" | "as-stored",
  user: (typeof users)[number] = "export",
) => {
  const file = join(directory, `${documents}-${user}.json`);
  const { host, port, name } = schema;
  const installation = {
    id: "clinic-a",
    platform: { kind: "host" },
    database: { host, port, name, user: `${name}_${user}`, password: "env:EXPORT_PASSWORD", ...tlsOf(schema) },
    sites: { path: estate.sitesPath },
    exports: { destination: `file://${directory}/exports`, sites: { documents } },
  };
  await writeFile(file, JSON.stringify({ stateDirectory: join(directory, "state"), installations: [installation] }));
  const ended = await runInMemory([...args, "--json", "--config", file], operations, {
    environment: { ...process.env, EXPORT_PASSWORD: "export" },
    now: () => new Date(),
    cwd: directory,
  });
  return { ...ended, json: JSON.parse(ended.stdout) };
};

const everyFile = async (below: string): Promise<readonly (readonly [path: string, content: Buffer])[]> => {
  const entries = await readdir(below, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => [path, await readFile(path)] as const));
};

/** Documents with an encrypted file in the live tree: its path there, and the digest that OpenEMR keeps of what is in it. */
const encryptedDocuments = async () => {
  const rows = await schema.query(
    "SELECT url, path_depth, hash FROM documents WHERE encrypted = 1 AND type = 'file_url'",
  );
  const found: { readonly path: string; readonly hash: string }[] = [];
  for (const { url, path_depth, hash } of rows) {
    const path = join("default/documents", documentFile(String(url), String(path_depth)) ?? "");
    const content = await readFile(join(estate.sitesPath, path)).catch(() => undefined);
    if (content && versionOf(content.toString("latin1", 0, 3))) found.push({ path, hash: String(hash) });
  }
  return found;
};

const digest = (content: Buffer): string => createHash("sha3-512").update(content).digest("hex");

describe("an export of decrypted documents by hand", () => {
  it("is refused to a user who may not read the keys, before a file is written", async () => {
    const { exitCode, json } = await run(["export", "sites"], "decrypted", "without_keys");
    expect(exitCode).toBe(4);
    expect(json.error.name).toBe("DatabaseAccessDeniedError");
    expect(await readdir(join(directory, "exports")).catch(() => [])).toEqual([]);
  });

  it("has every document as OpenEMR shows it, and says so in its result, its list and its record", async () => {
    const encrypted = await encryptedDocuments();
    expect(encrypted.length).toBeGreaterThan(3);
    const { exitCode, json, stderr } = await run(["export", "sites"], "decrypted");
    expect(exitCode, stderr).toBe(0);
    expect(json.decrypted).toBeGreaterThanOrEqual(encrypted.length);
    for (const { path, hash } of encrypted)
      expect(digest(await readFile(join(directory, "exports/sites", path)))).toBe(hash);
    expect((await run(["exports"], "decrypted")).json).toMatchObject([{ state: "complete", documents: "decrypted" }]);
    const records = await everyFile(join(directory, "state"));
    expect(records.some(([, content]) => content.includes("documents leave decrypted"))).toBe(true);
    expect((await run(["export", "sites"], "decrypted")).json).toMatchObject({
      uploaded: 0,
      decrypted: json.decrypted,
    });
  });

  it("gives out no key", async () => {
    await using database = await connect(accessOf(schema, schema));
    const { keys } = await readKeySet(estate.sitesPath, "default", database);
    const raw = [...keys.drive.values(), ...keys.database.values()];
    expect(raw.length).toBeGreaterThan(3);
    for (const [path, content] of [
      ...(await everyFile(join(directory, "exports"))),
      ...(await everyFile(join(directory, "state"))),
    ])
      for (const key of raw)
        for (const canary of [key, key.toString("base64"), key.toString("hex")])
          expect(content.includes(canary), path).toBe(false);
  });

  it("becomes one of encrypted documents when the configuration says so", async () => {
    const { exitCode, json, stderr } = await run(["export", "sites"], "as-stored");
    expect(exitCode, stderr).toBe(0);
    expect(json).not.toHaveProperty("decrypted");
    for (const { path } of await encryptedDocuments())
      expect(await readFile(join(directory, "exports/sites", path))).toEqual(
        await readFile(join(estate.sitesPath, path)),
      );
  });
});
