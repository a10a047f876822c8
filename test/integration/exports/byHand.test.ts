import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, watch as watchDirectory, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { Storage } from "@google-cloud/storage";
import type { ListedExport } from "@openemr-ops/exports/listExports";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { startFakeGcs } from "@openemr-ops/local/servers/fakeGcs";
import { startVersityGateway, type VersityGateway } from "@openemr-ops/local/servers/versitygw";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { operations } from "@openemr-ops/task/operations";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runInMemory } from "../../support/commandLine.ts";
import { snapshotOf } from "../../support/configuration.ts";
import { type FreshSchema, freshSchema, tlsOf } from "../../support/database.ts";
import { runReal } from "../../support/realCommandLine.ts";
import { searchExport } from "../../support/searchExport.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

const canary = (where: string): string => `canary-${where}-7f3a91`;
const exportPassword = canary("export-user");
const pseudonymKey = `${canary("pseudonym-key")}${"0".repeat(40)}`;

let directory: string;
let schema: FreshSchema;
let estate: Estate;
let store: VersityGateway;
let client: S3Client;
let environment: Readonly<Record<string, string>>;

/** Writes a configuration of its own and gives its name. */
const aConfiguration = async (name: string, exports: object = {}, others: object = {}): Promise<string> => {
  const file = join(directory, `${name}.json`);
  const installation = {
    id: "clinic-a",
    platform: { kind: "host" },
    database: {
      ...{ host: schema.host, port: schema.port, name: schema.name, user: `${schema.name}_export` },
      password: "env:EXPORT_PASSWORD",
      ...tlsOf(schema),
    },
    sites: { path: estate.sitesPath },
    exports: { destination: `file://${directory}/${name}`, ...exports },
    ...others,
  };
  await writeFile(
    file,
    JSON.stringify({ stateDirectory: join(directory, `${name}-state`), installations: [installation] }),
  );
  return file;
};

const run = async (args: readonly string[], config: string) => {
  const ended = await runInMemory([...args, "--json", "--config", config], operations, {
    environment: { ...process.env, ...environment },
    now: () => new Date(),
    cwd: directory,
  });
  return { ...ended, json: JSON.parse(ended.stdout) };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-exports-"));
  schema = await freshSchema();
  const { host, port, user, password, name } = schema;
  estate = await buildEstate({
    directory: join(directory, "estate"),
    database: { host, port, user, password, name },
    seed: "exports",
    size: "tiny",
  });
  store = await startVersityGateway();
  environment = {
    EXPORT_PASSWORD: exportPassword,
    PSEUDONYM_KEY: pseudonymKey,
    STORE: JSON.stringify({ accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey }),
  };
  const { accessKeyId, secretAccessKey } = store;
  client = new S3Client({
    endpoint: store.url,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
  });
  await client.send(new CreateBucketCommand({ Bucket: "sagemaker-clinic-a" }));
  const exporter = `${sqlName(`${name}_export`)}@'%'`;
  await schema.query(`CREATE USER ${exporter} IDENTIFIED BY '${exportPassword}'`);
  await schema.query(`GRANT SELECT ON ${sqlName(name)}.* TO ${exporter}`);

  await schema.query("UPDATE users_secure SET password = ?, password_history1 = ?", [
    canary("password-hash"),
    canary("old-password-hash"),
  ]);
  await schema.query("UPDATE `keys` SET value = ?", [canary("keys")]);
  await schema.query("REPLACE INTO globals (gl_name, gl_index, gl_value) VALUES ('SMTP_PASS', 0, ?)", [canary("smtp")]);
  await schema.query("UPDATE oauth_clients SET client_secret = ?", [canary("oauth")]);
  const site = join(estate.sitesPath, "default");
  for (const [path, where] of [
    ["sqlconf.php.bak", "sqlconf-backup"],
    ["documents/logs_and_misc/methods/unknown", "methods"],
    ["documents/certificates/ca.key", "certificate"],
  ] as const)
    await writeFile(join(site, path), canary(where));
  await writeFile(join(site, "documents/letter.txt"), "a letter");
}, 120_000);
afterAll(async () => {
  client?.destroy();
  await store?.stop();
  await schema?.query(`DROP USER IF EXISTS ${sqlName(`${schema.name}_export`)}@'%'`);
  await schema?.drop();
  await rm(directory, { recursive: true, force: true });
});

const secrets = () =>
  [
    ...["password-hash", "old-password-hash", "keys", "smtp", "oauth", "sqlconf-backup", "methods", "certificate"],
    ...["export-user", "pseudonym-key"],
  ].map(canary);

describe("exports by hand, to a directory", () => {
  let config: string;
  let location: string;
  beforeAll(async () => {
    config = await aConfiguration("whole", { pseudonymKey: "env:PSEUDONYM_KEY" });
    location = `file://${directory}/whole`;
  });

  it("are shown by a dry run, which writes nothing", async () => {
    const before = await snapshotOf(directory);
    const database = await run(["export", "database", "--dry-run"], config);
    expect(database.exitCode, database.stderr).toBe(0);
    expect(database.json).toMatchObject({ dryRun: true, profile: "full", location: `${location}/database` });
    const sites = await run(["export", "sites", "--dry-run"], config);
    expect(sites.exitCode, sites.stderr).toBe(0);
    expect(sites.json).toMatchObject({ dryRun: true, location: `${location}/sites` });
    expect((await run(["exports"], config)).json).toEqual([]);
    expect(await snapshotOf(directory)).toEqual(before);
  });

  it("of the database answer as documented, and end with _SUCCESS", async () => {
    const { exitCode, stdout, stderr } = await runReal(
      ["export", "database", "--json", "--config", config],
      environment,
    );
    expect(exitCode, stderr).toBe(0);
    const result = JSON.parse(stdout);
    const { exportId } = result;
    expect(result).toEqual({
      exportId: expect.stringMatching(/^\d{8}T\d{6}Z-[a-z0-9]{8}$/),
      location: `${location}/database/${exportId}`,
      profile: "full",
      tables: expect.any(Number),
      rows: expect.any(Number),
      bytes: expect.any(Number),
      seconds: expect.any(Number),
      skipped: expect.any(Array),
    });
    expect(result.skipped.map(({ table }: { readonly table: string }) => table)).toContain("keys");
    const folder = join(directory, "whole/database", exportId);
    const manifest = JSON.parse(await readFile(join(folder, "_manifest.json"), "utf8"));
    expect(manifest.tables).toHaveLength(result.tables);
    await readFile(join(folder, "_SUCCESS"));
  });

  it("of the database have every row of the tables that leave", async () => {
    const [{ exportId }] = (await run(["exports"], config)).json;
    const manifest = JSON.parse(await readFile(join(directory, "whole/database", exportId, "_manifest.json"), "utf8"));
    const rows = (table: string) =>
      manifest.tables.find((one: { readonly table: string }) => one.table === table)?.rows;
    for (const table of ["patient_data", "form_encounter", "log", "billing", "lists"])
      expect([table, rows(table)]).toEqual([table, estate.rows[table]]);
  });

  it("have columns as the configuration chooses, which a dry run shows before", async () => {
    const database = { booleans: true, uuids: "text", blobs: "drop" };
    const choosing = await aConfiguration("choosing", { database });
    const command = ["export", "database", "--tables", "billing,facility,onsite_documents"];
    const planned = await run([...command, "--dry-run"], choosing);
    expect(planned.exitCode, planned.stderr).toBe(0);
    const { json, exitCode, stderr } = await run(command, choosing);
    expect(exitCode, stderr).toBe(0);
    const folder = join(directory, "choosing/database", json.exportId);
    const { tables } = JSON.parse(await readFile(join(folder, "_schema.json"), "utf8"));

    type Described = Record<"name" | "treatment" | "parquetType", string>;
    const columns: readonly Described[] = tables.flatMap((table: { readonly columns: Described[] }) => table.columns);
    const find = (name: string) => columns.find((column) => column.name === name)?.parquetType;
    expect([find("activity"), find("inactive"), find("uuid")]).toEqual(["BOOLEAN", "BOOLEAN", "BYTE_ARRAY STRING"]);
    expect(tables[2].dropped).toEqual([
      { name: "full_document", reason: 'a blob, and exports.database.blobs is "drop"' },
    ]);
    const shown: readonly Described[] = planned.json.tables.flatMap(
      (table: { readonly columns: Described[] }) => table.columns,
    );
    expect(shown).toEqual(columns.map(({ name, treatment }) => ({ name, treatment })));
    expect(planned.json.tables[2].dropped).toEqual(tables[2].dropped);
  });

  it("de-identified are of the tables that were asked for alone", async () => {
    const { exitCode, json, stderr } = await run(
      ["export", "database", "--profile", "deidentified", "--tables", "patient_data,form_encounter"],
      config,
    );
    expect(exitCode, stderr).toBe(0);
    expect(json).toMatchObject({ profile: "deidentified", tables: 2 });
    const names = await schema.query("SELECT fname, lname, street, email, ss FROM patient_data LIMIT 5");
    const words = names.flatMap((row) => Object.values(row).map(String)).filter((word) => word.length > 3);
    expect(await searchExport(join(directory, "whole/database", json.exportId), words)).toEqual([]);
  });

  it("of the sites upload once, and then only what changed", async () => {
    const first = await run(["export", "sites"], config);
    expect(first.exitCode, first.stderr).toBe(0);
    expect(Object.keys(first.json)).toEqual([
      "exportId",
      "location",
      "files",
      "bytes",
      "uploaded",
      "unchanged",
      "excluded",
      "deleted",
      "seconds",
    ]);
    expect(first.json).toMatchObject({ location: `${location}/sites`, unchanged: 0, deleted: 0 });
    expect(first.json.uploaded).toBe(first.json.files);
    expect(first.json.excluded).toBeGreaterThan(2);

    const letter = join(estate.sitesPath, "default/documents/letter.txt");
    await writeFile(letter, "another letter");
    await writeFile(join(estate.sitesPath, "default/documents/new.txt"), "a new letter");
    const second = await run(["export", "sites"], config);
    expect(second.json).toMatchObject({ uploaded: 2, unchanged: first.json.files - 1, files: first.json.files + 1 });
    expect(await readFile(join(directory, "whole/sites/default/documents/letter.txt"), "utf8")).toBe("another letter");
  });

  it("are listed, the newest first, with where the data is", async () => {
    const { json } = await run(["exports"], config);
    const listed: readonly ListedExport[] = json;
    expect(listed.map(({ kind, state, profile }) => [kind, state, profile])).toEqual([
      ["sites", "complete", undefined],
      ["database", "complete", "deidentified"],
      ["database", "complete", "full"],
    ]);
    expect(listed[2]).toMatchObject({ location: `${location}/database/${listed[2]?.exportId}`, jobId: /./ });
    expect(listed[0]?.location).toBe(`${location}/sites`);
  });

  it("contain no secret, and neither do records and logs", async () => {
    expect((await searchExport(join(directory, "whole"), ["a new letter"])).length).toBeGreaterThan(0);
    expect(await searchExport(join(directory, "whole"), secrets())).toEqual([]);
    expect(await searchExport(join(directory, "whole-state"), secrets())).toEqual([]);
    const { stdout, stderr } = await run(["export", "database", "--dry-run"], config);
    for (const secret of secrets()) expect(stdout + stderr).not.toContain(secret);
  });
});

describe("exports by hand, to a bucket", () => {
  const bucket = (exports: object = {}) => ({
    destination: "s3://sagemaker-clinic-a/analytics",
    endpoint: store.url,
    region: "us-east-1",
    pathStyle: true,
    credentials: "env:STORE",
    ...exports,
  });
  const keys = async (): Promise<readonly string[]> => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: "sagemaker-clinic-a" }));
    return Contents.map(({ Key = "" }) => Key);
  };

  it("are refused where residency does not allow the place, and nothing is written", async () => {
    const config = await aConfiguration("elsewhere", bucket(), { residency: { awsRegions: ["eu-central-1"] } });
    for (const kind of ["database", "sites"]) {
      const { exitCode, json } = await run(["export", kind], config);
      expect([exitCode, json.error.name]).toEqual([3, "ResidencyError"]);
    }
    expect(await keys()).toEqual([]);
  });

  it("are there as they are in a directory", async () => {
    const config = await aConfiguration("bucket", bucket());
    const database = await run(["export", "database", "--tables", "patient_data"], config);
    expect(database.exitCode, database.stderr).toBe(0);
    const sites = await run(["export", "sites"], config);
    expect(sites.exitCode, sites.stderr).toBe(0);
    const { exportId } = database.json;
    const folder = `analytics/database/${exportId}`;
    const stored = await keys();
    expect(stored).toEqual(expect.arrayContaining([`${folder}/_SUCCESS`, `${folder}/_manifest.json`]));
    expect(stored.filter((key) => key.startsWith(`${folder}/${schema.name}.patient_data/`)).length).toBeGreaterThan(0);
    expect(stored).toEqual(
      expect.arrayContaining(["analytics/sites/_SUCCESS", "analytics/sites/default/documents/letter.txt"]),
    );
    expect((await run(["export", "sites"], config)).json).toMatchObject({ uploaded: 0, unchanged: sites.json.files });
    const { json } = await run(["exports"], config);
    expect(json.map(({ state }: ListedExport) => state)).toEqual(["complete", "complete"]);
  });

  it("fail by name where the bucket refuses, and leave no _SUCCESS", async () => {
    const { accessKeyId, secretAccessKey } = await store.addUser();
    const config = await aConfiguration("refused", bucket({ destination: "s3://sagemaker-clinic-a/refused" }));
    const own = { ...environment, STORE: JSON.stringify({ accessKeyId, secretAccessKey }) };
    for (const kind of ["database", "sites"]) {
      const { exitCode, stdout } = await runReal(["export", kind, "--json", "--config", config], own);
      expect([exitCode, JSON.parse(stdout).error.name]).toEqual([4, "DestinationAccessDeniedError"]);
      expect(stdout).not.toContain(secretAccessKey);
    }
    expect((await keys()).filter((key) => key.startsWith("analytics/refused"))).toEqual([]);
  });
});

it("exports by hand go to Google Cloud Storage too, and go on there", async () => {
  const google = await startFakeGcs();
  try {
    await new Storage({ apiEndpoint: google.url, projectId: "clinic" }).createBucket("analytics.clinic-a.example");
    vi.stubEnv("STORAGE_EMULATOR_HOST", google.url);
    const config = await aConfiguration("google", { destination: "gs://analytics.clinic-a.example/exports" });
    const database = await run(["export", "database", "--tables", "patient_data"], config);
    expect(database.exitCode, database.stderr).toBe(0);
    expect(database.json.location).toMatch(/^gs:\/\/analytics\.clinic-a\.example\/exports\/database\//);
    const first = await run(["export", "sites"], config);
    expect(first.exitCode, first.stderr).toBe(0);
    expect((await run(["export", "sites"], config)).json).toMatchObject({ uploaded: 0, unchanged: first.json.files });
    const { json } = await run(["exports"], config);
    expect(json.map(({ state }: ListedExport) => state)).toEqual(["complete", "complete"]);
  } finally {
    vi.unstubAllEnvs();
    await google.stop();
  }
});

describe("an export of the database that is interrupted", () => {
  /** Starts one as an operator would, and holds its process still once it has written its first rows. */
  const stopInTheMiddle = async (name: string, config: string) => {
    const main = join(repositoryRoot, "packages/cli/src/main.ts");
    const env = { PATH: process.env.PATH, ...environment };
    const child = spawn(process.execPath, [main, "export", "database", "--config", config], { env, stdio: "ignore" });
    const gone = once(child, "exit");
    const database = join(directory, name, "database");
    for await (const { filename } of watchDirectory(directory, { recursive: true }))
      if (filename?.startsWith(`${name}/database/`) && filename.endsWith(".parquet")) break;
    child.kill("SIGSTOP");
    const [exportId = ""] = await readdir(database);
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      child.kill("SIGCONT");
      await gone;
    };
    return { exportId, end, [Symbol.asyncDispose]: () => end("SIGKILL") };
  };
  const stateOf = async (config: string, exportId: string) =>
    (await run(["exports"], config)).json.find((one: ListedExport) => one.exportId === exportId);

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "runs until %s comes, refuses another one, and is no export after that; the next one is whole",
    async (signal) => {
      const config = await aConfiguration(signal);
      await using stopped = await stopInTheMiddle(signal, config);
      const { exportId, end } = stopped;
      expect(await stateOf(config, exportId)).toMatchObject({ kind: "database", state: "running" });
      const second = await run(["export", "database"], config);
      expect([second.exitCode, second.json.error.name]).toEqual([5, "InstallationBusyError"]);
      expect((await run(["export", "sites"], config)).exitCode).toBe(0);

      await end(signal);
      const problem = signal === "SIGTERM" ? /^JobAbortedError: / : /ended without completing it/;
      expect(await stateOf(config, exportId)).toMatchObject({
        state: "incomplete",
        problem: expect.stringMatching(problem),
      });
      expect(existsSync(join(directory, signal, "database", exportId, "_SUCCESS"))).toBe(false);

      const third = await run(["export", "database"], config);
      expect(third.exitCode, third.stderr).toBe(0);
      const { json } = await run(["exports"], config);
      expect(json.map(({ kind, state }: ListedExport) => `${kind} ${state}`).sort()).toEqual([
        "database complete",
        "database incomplete",
        "sites complete",
      ]);
    },
  );

  it("by a full disk ends with its name, and is complete once there is space", async () => {
    await using small = await smallFileSystem(join(directory, "full"), 1);
    await writeFile(join(small.path, "ballast"), Buffer.alloc(1_000_000));
    const config = await aConfiguration("full", { destination: `file://${small.path}/exports` });
    for (const kind of ["database", "sites"]) {
      const { exitCode, json } = await run(["export", kind], config);
      expect([exitCode, json.error.name], kind).toEqual([4, "DestinationFullError"]);
    }
    expect((await run(["exports"], config)).json.filter(({ state }: ListedExport) => state === "complete")).toEqual([]);

    small.resize(16);
    for (const kind of ["database", "sites"]) expect((await run(["export", kind], config)).exitCode, kind).toBe(0);
  });
});

describe("an export that cannot be made", () => {
  it.each([
    { typed: ["--tables", "patient_dat"], code: 2, name: "InvalidInputError", says: /patient_data/ },
    { typed: ["--profile", "deidentified"], code: 2, name: "InvalidInputError", says: /pseudonymKeyFile.*is missing/ },
  ])("$typed is refused with status $code before anything is written", async ({ typed, code, name, says }) => {
    const config = await aConfiguration("wrong");
    const { exitCode, json } = await run(["export", "database", ...typed], config);
    expect([exitCode, json.error.name]).toEqual([code, name]);
    expect(JSON.stringify(json.error)).toMatch(says);
    expect((await run(["exports"], config)).json).toEqual([]);
  });

  it("names the table that was asked for and may not be read", async () => {
    const [table] = ["billing"];
    const exporter = `${sqlName(`${schema.name}_narrow`)}@'%'`;
    await schema.query(`CREATE USER ${exporter} IDENTIFIED BY '${exportPassword}'`);
    await schema.query(`GRANT SELECT ON ${sqlName(schema.name)}.patient_data TO ${exporter}`);
    try {
      const file = await aConfiguration("narrow");
      const written = JSON.parse(await readFile(file, "utf8"));
      written.installations[0].database.user = `${schema.name}_narrow`;
      await writeFile(file, JSON.stringify(written));
      const { exitCode, json } = await run(["export", "database", "--tables", `patient_data,${table}`], file);
      expect(exitCode).not.toBe(0);
      expect(["DatabaseAccessDeniedError", "InvalidInputError"]).toContain(json.error.name);
      expect(json.error.message).toContain(table);
      expect((await run(["exports"], file)).json.filter(({ state }: ListedExport) => state === "complete")).toEqual([]);
    } finally {
      await schema.query(`DROP USER ${exporter}`);
    }
  });

  it("fails by name where files cannot be written, and is listed as nothing complete", async () => {
    const config = await aConfiguration("blocked", { destination: `file://${directory}/blocked/exports` });
    await mkdir(join(directory, "blocked"));
    await writeFile(join(directory, "blocked/exports"), "a file is in the way");
    await chmod(join(directory, "blocked/exports"), 0o400);
    for (const kind of ["database", "sites"]) {
      const { exitCode, json } = await run(["export", kind], config);
      expect(exitCode).toBeGreaterThan(1);
      expect(json.error.name).toMatch(/^(Destination\w+|LocalSystem|InvalidInput|TargetUnsuitable)Error$/);
    }
  });
});
