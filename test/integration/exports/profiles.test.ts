import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { deidentified } from "@openemr-ops/exports/profiles/deidentified";
import { full } from "@openemr-ops/exports/profiles/full";
import type { Profile } from "@openemr-ops/exports/profiles/profile";
import { pseudonymsOf } from "@openemr-ops/exports/profiles/pseudonyms";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { buildEstate } from "@openemr-ops/local/estate/buildEstate";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { columnsOf } from "@openemr-ops/openemr/privacy/tableMap";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { aWorkDirectory } from "../../support/dumpContext.ts";
import { exportContextOf } from "../../support/exportContext.ts";
import { describeTables, type PlannedRow, readPlanned } from "../../support/exportPlan.ts";
import { type Planted, type PlantedKind, plantIdentifiers } from "../../support/plantedIdentifiers.ts";
import { askExport, exportedText } from "../../support/readExport.ts";
import { sharedPrivacyMap } from "../../support/sharedPrivacyMap.ts";
import { loadSharedSchema, sharedSchema } from "../../support/sharedSchema.ts";

const key = "a key of pseudonyms, for tests only";
const anonymous = deidentified({ key, exportDate: new Date("2026-11-27") });

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  work = await aWorkDirectory();
});
afterAll(() => work.remove());

/** Texts that are anywhere in a file, by a program that knows nothing of exports. */
const findIn = async (file: string, texts: readonly string[]): Promise<ReadonlySet<string>> => {
  const patterns = `${file}.patterns`;
  await writeFile(patterns, texts.join("\n"));
  const { stdout, status, stderr } = spawnSync("grep", ["-a", "-o", "-i", "-F", "-f", patterns, file], {
    encoding: "utf8",
    env: { LC_ALL: "C" },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0 && status !== 1) throw new Error(stderr);
  return new Set(stdout.split("\n").map((line) => line.toLowerCase()));
};

/** Exports a schema, and searches all that was written for some texts. */
const exportAndSearch = async (schema: FreshSchema, profile: Profile, planted: readonly Planted[]) => {
  const directory = join(work.path, `${schema.name}-${profile.name}`);
  const context = exportContextOf(schema, fileDestination(directory), { profile });
  const { tables } = await exportDatabase(context, { exportId: "one" });
  const file = `${directory}.txt`;
  await writeFile(file, exportedText(join(directory, "database/one")));
  const texts = await findIn(
    file,
    planted.map(({ text }) => text),
  );
  return { tables, found: planted.filter(({ text }) => texts.has(text.toLowerCase())) };
};

const secretsOfTheEstate = new Set([
  "globals.gl_value",
  "keys.value",
  "oauth_clients.client_secret",
  "user_settings.setting_value",
  "users.password",
  "users_secure.password",
  "users_secure.password_history1",
]);
/** What a reader of the estate's tables would call identifiers, whatever the map of the product says. */
const identifiersOfTheEstate: Readonly<Record<string, string>> = {
  names: `patient_data.fname patient_data.lname patient_data.mname insurance_data.subscriber_lname users.fname users.lname
    facility.name gacl_aro.name groups.user forms.user weno_pharmacy.Business_Name`,
  geographic: "patient_data.street patient_data.city facility.street facility.city",
  zip: "patient_data.postal_code facility.postal_code",
  dates: `patient_data.DOB patient_data.deceased_date patient_data.regdate patient_data.date insurance_data.subscriber_DOB
    form_encounter.date form_encounter.onset_date form_vitals.date lists.begdate lists.enddate billing.date documents.date
    immunizations.administered_date prescriptions.date_added openemr_postcalendar_events.pc_eventDate
    openemr_postcalendar_events.pc_startTime`,
  phone: "patient_data.phone_home patient_data.phone_cell facility.phone",
  email: "patient_data.email users.email users.google_signin_email",
  ssn: "patient_data.ss",
  mrn: `patient_data.pubpid patient_data.pid patient_data.id patient_data.uuid insurance_data.policy_number billing.pid
    billing.encounter form_encounter.pid form_encounter.encounter forms.pid lists.pid prescriptions.patient_id
    documents.foreign_id documents.hash immunizations.lot_number users.npi users.username billing.process_file`,
  url: "documents.url documents.thumb_url",
  free_text: `patient_data.billing_note patient_data.occupation form_encounter.reason form_vitals.note lists.title
    lists.comments immunizations.note lbf_data.field_value pnotes.body form_CAMOS.content log.comments documents.name
    documents.document_data openemr_postcalendar_events.pc_title onsite_documents.patient_signature users.notes`,
};
const kindsOfTheEstate = new Map<string, PlantedKind>(
  Object.entries(identifiersOfTheEstate).flatMap(([kind, columns]) =>
    columns.split(/\s+/).map((column) => [column, kind] as const),
  ),
);
/** Kinds of our own map, in the words of the other. */
const kindOfOurs = (table: string, column: string): PlantedKind => {
  const byHand = kindsOfTheEstate.get(`${table}.${column}`);
  if (byHand !== undefined) return byHand;
  if (secretsOfTheEstate.has(`${table}.${column}`)) return "secret";
  const meaning = columnsOf(table)?.get(column.toLowerCase());
  if (meaning === undefined) return "free_text";
  if (meaning.kind === "birth") return "dates";
  if (meaning.kind === "id") return "mrn";
  if (meaning.kind === "freeText") return "free_text";
  return meaning.kind === "measured" ? "none" : meaning.kind;
};

const estate = {
  name: "the estate's schema",
  make: async (schema: FreshSchema) => {
    const { host, port, user, password, name } = schema;
    await buildEstate({
      directory: join(work.path, name),
      database: { host, port, user, password, name },
      seed: "profiles",
      size: "tiny",
    });
  },
  kindOf: kindOfOurs,
  atLeast: 500,
};
const shared = sharedPrivacyMap();
const files = sharedSchema();
const sharedKinds = new Map<string, PlantedKind>([
  ...(shared?.columns.map(({ table, column, category }) => [`${table}.${column}`, category] as const) ?? []),
  ...(shared?.secrets.map(({ table, column }) => [`${table}.${column}`, "secret"] as const) ?? []),
]);
const schemas = [
  estate,
  ...(shared && files.length > 0
    ? [
        {
          name: "OpenEMR's own schema, with its optional tables and samples",
          make: async (schema: FreshSchema) => loadSharedSchema(schema, files),
          kindOf: (table: string, column: string): PlantedKind => sharedKinds.get(`${table}.${column}`) ?? "free_text",
          atLeast: 10_000,
        },
      ]
    : []),
];

/** Numbers of records that refer to each other, under whatever names. */
const joinsIn = [
  { left: "patient_data.pid", right: "form_encounter.pid" },
  { left: "form_encounter.pid encounter", right: "billing.pid encounter" },
  { left: "patient_data.pid", right: "lists.pid" },
  { left: "patient_data.pid", right: "prescriptions.patient_id" },
  { left: "patient_data.pid", right: "documents.foreign_id" },
  { left: "openemr_postcalendar_events.pc_pid", right: "patient_data.pid" },
  { left: "forms.pid encounter", right: "form_encounter.pid encounter" },
  { left: "forms.form_id pid", right: "form_vitals.id pid" },
  { left: "form_encounter.provider_id", right: "users.id" },
  { left: "users.facility_id", right: "facility.id" },
  { left: "gacl_aro.value", right: "users.username" },
  { left: "categories_to_documents.document_id", right: "documents.id" },
  { left: "categories_to_documents.category_id", right: "categories.id" },
];

describe.each(schemas)("from $name", ({ make, kindOf, atLeast }) => {
  let schema: FreshSchema;
  let planted: readonly Planted[];
  let inFull: Awaited<ReturnType<typeof exportAndSearch>>;
  let inDeidentified: Awaited<ReturnType<typeof exportAndSearch>>;
  beforeAll(async () => {
    schema = await freshSchema();
    await make(schema);
    // A column that an edited layout added, and a table of a module that nobody knows.
    await schema.query("ALTER TABLE patient_data ADD COLUMN favourite_pet varchar(255)");
    await schema.query(
      "CREATE TABLE vendor_visits (id int PRIMARY KEY, pid bigint, visitor varchar(60), visited datetime)",
    );
    const rows = await plantIdentifiers(schema, await describeTables(schema), kindOf);
    // Names of settings that leave, with values that must not.
    for (const name of ["SMTP_PASS", "SMS_GATEWAY_PASSWORD", "gbl_time_zone", "first_day_week", "a_modules_setting"])
      await schema.query("REPLACE INTO globals (gl_name, gl_index, gl_value) VALUES (?, 0, ?)", [
        name,
        `canary-of-${name}`,
      ]);
    planted = [...rows, { table: "globals", column: "gl_value", kind: "secret", text: "canary-of-" }];
    inFull = await exportAndSearch(schema, full(), planted);
    inDeidentified = await exportAndSearch(schema, anonymous, planted);
  }, 180_000);
  afterAll(() => schema.drop());
  const isSecret = ({ kind }: Planted): boolean => kind === "secret";

  it("no secret leaves in full", () => {
    expect(planted.filter(isSecret).length).toBeGreaterThan(30);
    expect(inFull.found.filter(isSecret)).toEqual([]);
  });

  it("no secret and none of the identifiers leaves in deidentified", () => {
    expect(planted.filter((one) => !isSecret(one)).length).toBeGreaterThan(atLeast);
    expect(inDeidentified.found).toEqual([]);
    expect(inDeidentified.tables).toBeGreaterThan(20);
  });

  it("the identifiers leave in full, so that a search finds them", async () => {
    const { tables } = full().plan(await describeTables(schema));
    const leaving = new Set(tables.flatMap(({ table, columns }) => columns.map(({ name }) => `${table}.${name}`)));
    const expected = planted.filter((one) => !isSecret(one) && leaving.has(`${one.table}.${one.column}`));
    expect(inFull.found.length).toBeGreaterThan(0.97 * expected.length);
  });
});

describe("joins in the profile deidentified", () => {
  let schema: FreshSchema;
  beforeAll(async () => {
    schema = await freshSchema();
    await estate.make(schema);
  });
  afterAll(() => schema.drop());

  it.each(joinsIn)("give as many rows as in the source: $left = $right", async ({ left, right }) => {
    const [one = "", ...ones] = left.split(/[. ]+/);
    const [other = "", ...others] = right.split(/[. ]+/);
    const on = ones.map((column, index) => `l.${column} = r.${others[index]}`).join(" AND ");
    const [source] = await schema.query(
      `SELECT COUNT(*) AS n FROM ${sqlName(one)} l JOIN ${sqlName(other)} r ON ${on}`,
    );
    const { tables } = anonymous.plan(await describeTables(schema));
    const read = async (table: string) =>
      readPlanned(schema, tables.find((plan) => plan.table === table) ?? { table, columns: [], dropped: [] });
    const keyOf = (row: PlannedRow, columns: readonly string[]) => columns.map((column) => row[column]).join(" ");
    const byKey = Map.groupBy(await read(other), (row) => keyOf(row, others));
    const joined = (await read(one)).reduce((sum, row) => sum + (byKey.get(keyOf(row, ones))?.length ?? 0), 0);

    expect(joined).toBe(Number(source?.n));
    expect(joined).toBeGreaterThan(0);
  });

  it("give as many rows in DuckDB, over patients, encounters, bills and problems", async () => {
    const sql = `SELECT COUNT(*) AS n FROM patient_data p JOIN form_encounter e ON e.pid = p.pid
      JOIN billing b ON b.pid = e.pid AND b.encounter = e.encounter JOIN lists l ON l.pid = p.pid
      JOIN users u ON u.id = e.provider_id JOIN facility f ON f.id = u.facility_id`;
    const directory = join(work.path, "joins");
    const context = exportContextOf(schema, fileDestination(directory), { profile: anonymous });
    await exportDatabase(context, { exportId: "one" });
    const [source] = await schema.query(sql);

    expect(Number(source?.n)).toBeGreaterThan(0);
    expect(askExport(join(directory, "database/one"), sql)).toBe(String(source?.n));
  });

  it("come without the order of the rows, which would tell the numbers", async () => {
    const directory = join(work.path, "order");
    const context = exportContextOf(schema, fileDestination(directory), { profile: anonymous });
    await exportDatabase(context, { exportId: "one" });
    const sql = "SELECT string_agg(pid, ' ') FROM patient_data";
    const exported = askExport(join(directory, "database/one"), sql).split(" ");
    const patients = await schema.query("SELECT pid FROM patient_data ORDER BY pid");
    const numbered = patients.map(({ pid }) => pseudonymsOf(key)("patient")(Buffer.from(String(pid))));

    expect(exported.toSorted()).toEqual(numbered.toSorted());
    expect(exported.filter((one, index) => one === numbered[index]).length).toBeLessThan(numbered.length / 2);
  });
});
