import { chmod, lstat, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import {
  InPlaceNotAllowedError,
  IntegrityError,
  InvalidInputError,
  RestoredDataDiffersError,
  TargetNotEmptyError,
} from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { type BrowsedFile, browseFiles } from "@openemr-ops/dumps/steps/browseDump";
import type { PartOptions } from "@openemr-ops/dumps/steps/partOptions";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { planPart, restorePart } from "@openemr-ops/dumps/steps/restorePart";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { walkTree } from "@openemr-ops/openemr/walkTree";
import { openStores } from "@openemr-ops/task/openStores";
import { restorePartProgram } from "@openemr-ops/task/programs/restorePart";
import { runByHand } from "@openemr-ops/task/runByHand";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, rowsOf } from "../../support/aClinic.ts";
import { configurationFor, contextFor, resticsHere } from "../../support/dumpContext.ts";
import { aDocument } from "../../support/keyedSite.ts";
import { anOddTree } from "../../support/oddTree.ts";
import { treeImage } from "../../support/treeImage.ts";

let clinic: Clinic;
let identity: string;

const tables = [
  "CREATE TABLE patient_data (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, pid BIGINT NOT NULL UNIQUE, fname VARCHAR(255), notes TEXT)",
  "CREATE TABLE form_vitals (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, pid BIGINT, weight FLOAT, note TEXT)",
  "CREATE TABLE pnotes (id INT NOT NULL, body LONGTEXT, `pid` VARCHAR(20))", // no primary key
  "CREATE TABLE categories_to_documents (category_id INT NOT NULL, document_id INT NOT NULL, PRIMARY KEY (category_id, document_id))",
  "CREATE TABLE procedure_order (procedure_order_id INT NOT NULL PRIMARY KEY, patient_id BIGINT)",
  "CREATE TABLE procedure_report (procedure_report_id INT NOT NULL PRIMARY KEY, procedure_order_id INT)",
  "CREATE TABLE procedure_result (procedure_result_id INT NOT NULL PRIMARY KEY, procedure_report_id INT, result VARCHAR(255))",
  "CREATE TABLE `odd ``name` (`the key` INT PRIMARY KEY, amount DECIMAL(10,3))",
  "ALTER TABLE documents ADD foreign_id BIGINT",
];
const rows = [
  "INSERT INTO patient_data (pid, fname, notes) VALUES (12, 'O''Hara \\\\', 'first\\nline (12,13)'), (13, 'Twelve', '12'), (112, 'x', NULL)",
  "INSERT INTO form_vitals (pid, weight, note) SELECT IF(seq % 3 = 0, 12, 13), seq / 7, CONCAT('12 ', REPEAT('it''s; ', seq % 50)) FROM seq_1_to_3000",
  "INSERT INTO pnotes VALUES (1, 'b', '13'), (1, 'a', '12'), (1, 'a', '12'), (2, '(1,\\'12\\');', '13')",
  "INSERT INTO categories_to_documents VALUES (1, 1), (1, 2), (2, 3)",
  "INSERT INTO procedure_order VALUES (5, 12), (6, 13)",
  "INSERT INTO procedure_report VALUES (50, 5), (60, 6), (51, 5)",
  "INSERT INTO procedure_result VALUES (500, 50, 'a'), (600, 60, 'b'), (501, 51, 'c')",
  "INSERT INTO `odd ``name` VALUES (2, 1.5), (1, 0.1)",
  "UPDATE documents SET foreign_id = 12",
];

const latin1 = Buffer.from("default/documents/12/caf\xe9.txt", "latin1");

beforeAll(async () => {
  clinic = await aClinic();
  const { schema, sitesPath } = clinic;
  for (const statement of [...tables, ...rows]) await schema.query(statement);
  for (const [id, file, whose] of [
    [2, "two [copy]*.txt", 13],
    [3, "lost", 12],
    [5, "lost too", 112],
  ] as const) {
    const row = {
      ...aDocument({ id, url: `file:///old/sites/default/documents/${whose}/${file}` }),
      foreign_id: whose,
    };
    const columns = Object.keys(row).map(sqlName).join(", ");
    const marks = Object.keys(row).map(() => "?");
    await schema.query(`INSERT INTO documents (${columns}) VALUES (${marks.join(", ")})`, Object.values(row));
  }
  await schema.query(
    "INSERT INTO documents (id, type, storagemethod, couch_docid, foreign_id) VALUES (4, 'file_url', 1, 'abc', 12)",
  );
  await mkdir(join(sitesPath, "default/documents/13/deep/er"), { recursive: true });
  await writeFile(join(sitesPath, "default/documents/13/two [copy]*.txt"), "of another patient");
  await writeFile(join(sitesPath, "default/documents/13/two xcopy].txt"), "a trap for patterns");
  await writeFile(join(sitesPath, "default/documents/13/deep/er/a\nb"), "a line feed in its name");
  await writeFile(Buffer.concat([Buffer.from(`${sitesPath}/`), latin1]), "no UTF-8");
  await chmod(join(sitesPath, "default/documents/12/letter"), 0o640);
  await utimes(join(sitesPath, "default/documents/12/letter"), 1_500_000_000, 1_500_000_000);
  identity = await generateIdentity();
  await writeFile(join(clinic.directory, "age.key"), `${identity}\n`, { mode: 0o600 });
}, 60_000);
afterAll(() => clinic.remove());

/** Files by their names, one character a byte. */
const contentsOf = async (root: string): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for await (const { path, absolute, entry } of walkTree(root))
    if (entry.isFile()) found.set(path, await readFile(absolute, "latin1"));
  return found;
};

const stores = async () => [
  ...resticsHere().map(({ name, restic }) => ({ name, restic, dumps: {} })),
  {
    name: "a portable set with age",
    dumps: {
      format: "portable" as const,
      ageRecipients: [await identityToRecipient(identity)],
      ageIdentityFile: join(clinic.directory, "age.key"),
    },
  },
];

describe.each([{ at: 0 }, { at: 1 }, { at: 2 }])("a part of a dump, from store $at", ({ at }) => {
  let context: DumpContext;
  let dumpId: string;
  const into = (name: string) => ({
    intoDatabase: `${clinic.schema.name}_${at}_${name}`,
    intoSites: join(clinic.directory, `${at}-${name}`),
  });
  const part = (options: Omit<PartOptions, "dump">) => restorePart(context, { dump: "latest", ...options });
  const query = (name: string, sql: string) =>
    clinic.schema.query(sql.replaceAll("@", `${sqlName(into(name).intoDatabase)}.`));
  const isMade = async (name: string) =>
    (await clinic.schema.query("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", [name])).length > 0;

  beforeAll(async () => {
    const store = (await stores())[at];
    if (!store) throw new Error("fewer stores here");
    const { schema, sitesPath, directory } = clinic;
    context = await contextFor({ schema, sitesPath, directory: join(directory, `store-${at}`), ...store });
    ({ dumpId } = await takeDump(context));
  }, 60_000);

  it("is refused where it is none, or its target is live or of no use", async () => {
    const { intoDatabase, intoSites } = into("refused");
    const cases: readonly (readonly [Omit<PartOptions, "dump">, RegExp])[] = [
      [{ intoDatabase }, /name what to restore/],
      [
        { tables: ["patient_dat"], intoDatabase },
        /tables: dump \w+ has no table patient_dat; it has patient_data\. A view/,
      ],
      [{ tables: ["globals"] }, /intoDatabase: is missing/],
      [{ tables: ["globals"], intoDatabase, intoSites }, /intoSites: leave it out/],
      [{ files: ["default/**"], intoDatabase, intoSites }, /intoDatabase: leave it out/],
      [{ files: ["/etc/passwd"], intoSites }, /expected a path below the sites directory/],
      [{ files: ["default/../../x"], intoSites }, /no \. or \.\./],
      [{ files: ["default/documents/12/**", "default/documents/14/**"], intoSites }, /number 2 of 2 matches nothing/],
      [{ files: ["secret-name"], tables: ["globals"], intoDatabase, intoSites }, /^files: matches nothing in dump/],
      [{ patient: "twelve", intoDatabase, intoSites }, /in digits/],
      [{ patient: "12", tables: ["globals"], intoDatabase, intoSites }, /excludes tables/],
      [{ patient: "12", site: "other", intoDatabase, intoSites }, /the dump has the sites default/],
      [{ patient: "9912", intoDatabase, intoSites }, /^patient: no row of dump \w+ holds this patient's number/],
    ];
    for (const [options, message] of cases) {
      const failure = await part(options).catch((error: unknown) => error);
      expect(failure, String(message)).toBeInstanceOf(InvalidInputError);
      expect((failure as Error).message).toMatch(message);
      expect((failure as Error).message).not.toMatch(/9912|secret-name/); // a job's record keeps it
    }
    await expect(part({ tables: ["globals"], intoDatabase: clinic.schema.name })).rejects.toThrow(
      InPlaceNotAllowedError,
    );
    await expect(part({ files: ["**"], intoSites: join(clinic.sitesPath, "x") })).rejects.toThrow(
      InPlaceNotAllowedError,
    );
    await expect(part({ files: ["**"], intoSites: clinic.directory })).rejects.toThrow(TargetNotEmptyError);
    expect(await isMade(intoDatabase)).toBe(false);
    expect((await readdir(clinic.directory)).filter((name) => /refused|staging/.test(name))).toEqual([]);
  });

  it("is planned without a trace", async () => {
    const { intoDatabase, intoSites } = into("planned");
    expect(await planPart(context, { dump: "latest", tables: ["pnotes"], intoDatabase })).toMatchObject({
      dryRun: true,
      part: "tables",
      dumpId,
      tables: [{ table: "pnotes", rows: 4 }],
    });
    expect(await planPart(context, { dump: "latest", files: ["default/documents/13"], intoSites })).toMatchObject({
      files: 3,
      filesBytes: 60,
    });
    expect(await planPart(context, { dump: "latest", patient: "12", intoDatabase, intoSites })).toMatchObject({
      part: "patient",
      rows: 1 + 1000 + 2 + 3 + 2 + 1 + 2 + 2,
      files: 1,
    });
    expect(await isMade(intoDatabase)).toBe(false);
    await expect(lstat(intoSites)).rejects.toThrow(/ENOENT/);
  });

  it("is whole tables, with their exact values, and nothing else", async () => {
    const { intoDatabase } = into("tables");
    const verdict = await part({ tables: ["odd `name", "form_vitals", "visits"], intoDatabase });

    expect(verdict).toMatchObject({ verdict: "passed", part: "tables", differences: [], rows: 3005, files: 0 });
    const live = await rowsOf(clinic.schema, clinic.schema.name);
    expect(await rowsOf(clinic.schema, intoDatabase)).toEqual({
      form_vitals: live.form_vitals,
      "odd `name": live["odd `name"],
      visits: live.visits,
      "(programs)": expect.any(String),
    });
    await expect(part({ tables: ["visits"], intoDatabase })).rejects.toThrow(TargetNotEmptyError);
    await query("tables", `DROP DATABASE ${sqlName(intoDatabase)}`);
  });

  it("is files by pattern, whatever their names are, with mode and time", async () => {
    const { intoSites } = into("files");
    const files = [
      "default/documents/12/caf?.txt",
      "default/documents/12/lett*",
      "default/**/er",
      "**/two [copy]*.txt",
    ];
    const verdict = await part({ files, intoSites });

    expect(verdict).toMatchObject({ verdict: "passed", part: "files", files: 4, rows: 0, differences: [] });
    const live = await contentsOf(clinic.sitesPath);
    const wanted = [...live].filter(([path]) => /caf.\.txt$|letter$|er\/a\nb$|two \[copy/.test(path));
    expect(wanted).toHaveLength(4);
    expect(await contentsOf(intoSites)).toEqual(new Map(wanted));
    const letter = await lstat(join(intoSites, "default/documents/12/letter"));
    expect([letter.mode & 0o777, letter.mtimeMs]).toEqual([0o640, 1_500_000_000_000]);
    expect((await lstat(intoSites)).mode & 0o777).toBe(0o700);
  });

  it("is one patient: the rows that hold the number, what hangs on them, and the documents' files", async () => {
    const { intoDatabase, intoSites } = into("patient");
    const verdict = await part({ patient: "12", intoDatabase, intoSites });

    expect(verdict).toMatchObject({ verdict: "passed", part: "patient", differences: [], files: 1 });
    expect(verdict.remarks.join()).toMatch(/1 documents are in CouchDB.*1 documents have no file/);
    expect(Object.fromEntries(verdict.tables.map(({ table, rows: count }) => [table, count]))).toEqual({
      categories_to_documents: 2,
      documents: 3,
      form_vitals: 1000,
      patient_data: 1,
      pnotes: 2,
      procedure_order: 1,
      procedure_report: 2,
      procedure_result: 2,
    });
    for (const [table, key] of [
      ["patient_data", "pid = 12"],
      ["form_vitals", "pid = 12"],
      ["pnotes", "pid = '12'"],
      ["categories_to_documents", "document_id IN (1, 3)"],
      ["procedure_result", "procedure_report_id IN (50, 51)"],
    ] as const) {
      const live = await clinic.schema.query(`SELECT * FROM ${table} WHERE ${key} ORDER BY 1, 2`);
      expect(await query("patient", `SELECT * FROM @${table} ORDER BY 1, 2`)).toEqual(live);
    }
    expect([...(await contentsOf(intoSites)).keys()]).toEqual(["default/documents/12/one"]);
    await query("patient", `DROP DATABASE ${sqlName(intoDatabase)}`);
  });

  it("is a patient whose documents the source itself had lost", async () => {
    const { intoDatabase, intoSites } = into("lost");
    const verdict = await part({ patient: "112", intoDatabase, intoSites });
    expect(verdict).toMatchObject({ verdict: "passed", rows: 2, files: 0 });
    expect(verdict.remarks.join()).toMatch(/1 documents have no file in the dump/);
    expect([...(await contentsOf(intoSites)).keys()]).toEqual([]);
    await query("lost", `DROP DATABASE ${sqlName(intoDatabase)}`);
  });

  it("continues where an earlier call was stopped, and is refused beside another one's rest", async () => {
    const { intoDatabase } = into("stopped");
    const stop = new AbortController();
    const stopped: DumpContext = {
      ...context,
      signal: stop.signal,
      progress: ({ step }) => {
        if (step === "compare") stop.abort(new Error("pulled"));
      },
    };
    const options = { dump: "latest", tables: ["globals", "patients"], intoDatabase };
    await expect(restorePart(stopped, options)).rejects.toThrow();
    await expect(part({ tables: ["globals"], intoDatabase })).rejects.toThrow(TargetNotEmptyError);

    expect(await restorePart(context, options)).toMatchObject({ verdict: "passed", rows: 4 });
    await query("stopped", `DROP DATABASE ${sqlName(intoDatabase)}`);

    const patient = { dump: "latest", patient: "13", ...into("stopped") };
    const again = new AbortController();
    const progress: DumpContext["progress"] = ({ step }) => (step === "compare" ? again.abort() : undefined);
    await expect(restorePart({ ...context, signal: again.signal, progress }, patient)).rejects.toThrow();
    await query("stopped", "DELETE FROM @openemr_ops_restore WHERE table_name LIKE 'p%'"); // these were half loaded
    await query("stopped", "DELETE FROM @pnotes LIMIT 1");
    expect(await restorePart(context, patient)).toMatchObject({ verdict: "passed", files: 1 });
    expect(await query("stopped", "SELECT COUNT(*) AS n FROM @pnotes")).toEqual([{ n: 2 }]);
    await query("stopped", `DROP DATABASE ${sqlName(intoDatabase)}`);
  });

  it("fails where the restored rows, or the stored ones, are not the dump's", async () => {
    const { intoDatabase } = into("spoilt");
    const spoiling: DumpContext = {
      ...context,
      store: {
        ...context.store,
        readDatabase: async (...args) => {
          await context.store.readDatabase(...args);
          await query("spoilt", "UPDATE @globals SET gl_value = 'spoilt' LIMIT 1");
        },
      },
    };
    const options = { dump: "latest", tables: ["globals"], intoDatabase };
    await expect(restorePart(spoiling, options)).rejects.toThrow(RestoredDataDiffersError);
    await query("spoilt", `DROP DATABASE ${sqlName(intoDatabase)}`);

    const changed: DumpContext = {
      ...context,
      store: {
        ...context.store,
        readDatabase: (stored, consume, run) =>
          context.store.readDatabase(
            stored,
            (stream) =>
              consume(
                stream.map((chunk: Buffer) =>
                  Buffer.from(chunk.toString("latin1").replace("'007 Clinic'", "'008 Clinic'"), "latin1"),
                ),
              ),
            run,
          ),
      },
    };
    await expect(restorePart(changed, options)).rejects.toThrow(IntegrityError);
    if (await isMade(intoDatabase)) await query("spoilt", `DROP DATABASE ${sqlName(intoDatabase)}`);
  });
});

it.each([{ at: 0 }, { at: 1 }, { at: 2 }])(
  "everything as a part is the tree that was dumped, from store $at",
  async ({ at }) => {
    const store = (await stores())[at];
    const directory = join(clinic.directory, `odd-${at}`);
    const sitesPath = join(clinic.directory, "odd sites [*]");
    if (at === 0) await anOddTree(sitesPath, clinic.schema.name);
    const context = await contextFor({ schema: clinic.schema, sitesPath, directory, ...store });
    await takeDump(context);
    const [part, whole] = ["part", "whole"].map((name) => join(directory, name)) as [string, string];
    const intoDatabase = `${clinic.schema.name}_odd_${at}`;
    await restoreDump(context, { dump: "latest", intoSites: whole, intoDatabase });
    await clinic.schema.query(`DROP DATABASE ${sqlName(intoDatabase)}`);

    const listed: BrowsedFile[] = [];
    await browseFiles(context, { dump: "latest", files: ["**"] }, async (file) => void listed.push(file));
    expect(await restorePart(context, { dump: "latest", files: ["**"], intoSites: part })).toMatchObject({
      verdict: "passed",
      files: listed.filter(({ kind }) => kind === "file").length,
    });

    const images = treeImage(whole);
    expect({ ...treeImage(part), "": images[""] }).toEqual(images);
    const files = Object.values(images).filter(({ type }) => type === "file");
    expect(listed.filter(({ kind }) => kind === "file")).toHaveLength(files.length);
  },
);

it("the record of a patient's restore has counts, and neither the number nor a name", async () => {
  const options = {
    ...{ schema: clinic.schema, sitesPath: clinic.sitesPath, directory: join(clinic.directory, "recorded") },
    dumps: { format: "portable" as const },
  };
  await takeDump(await contextFor(options));
  const { config: written, environment } = configurationFor(options);
  const config = resolveConfig(configSchema.parse(written), options.directory);
  const [installation] = config.installations;
  if (!installation) throw new Error("the configuration has no installation");
  const { signal } = new AbortController();
  const place = { config, installation, environment, signal, now: () => new Date(), ...{ progress() {}, warn() {} } };
  const intoDatabase = `${clinic.schema.name}_recorded`;
  const request = {
    ...{ version: 1 as const, kind: "restore" as const, installation: installation.id, inPlace: false as const },
    ...{ dryRun: false, dump: "latest", patient: "12", intoDatabase, intoSites: join(options.directory, "part") },
  };
  await runByHand(restorePartProgram, place, request, { openStores });
  await clinic.schema.query(`DROP DATABASE ${sqlName(intoDatabase)}`);
  await expect(
    runByHand(
      restorePartProgram,
      place,
      { ...request, patient: "991299", intoSites: join(options.directory, "none") },
      { openStores },
    ),
  ).rejects.toThrow(InvalidInputError);

  const { jobs } = await openStores(place);
  const records = await jobs.list(installation.id);
  expect(records.map(({ kind, status, figures }) => [kind, status, figures?.files])).toEqual([
    ["restore", "failed", undefined],
    ["restore", "succeeded", 1],
  ]);
  expect(records.find(({ status }) => status === "succeeded")?.result).toMatchObject({ part: "patient" });
  const told = JSON.stringify(records).replaceAll(options.directory, "");
  expect(told).not.toMatch(/"12"|991299|documents\/|letter/);
});
