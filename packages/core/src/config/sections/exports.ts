import * as z from "zod";
import { parseDestinationUrl } from "../destinationAddress.ts";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { pseudonymKeyProblem } from "../pseudonymKey.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { destinationRules, placeShape, settleDestination } from "./destination.ts";

const database = strict({
  /** `direct`: this program reads the server. `aurora`: AWS exports the cluster by itself. */
  engine: field.exportEngine.default("direct"),
  /** A server that has the same rows and no other work; not set, the one of `database`. Its users, schema and TLS are the same. */
  reader: strict({ host: field.host, port: field.port.default(3306) }).optional(),
  /** What leaves where a job says nothing else. */
  profile: field.exportProfile.default("full"),
  /** `TINYINT(1)` as booleans. Not set, as numbers. */
  booleans: z.boolean({ error: "expected true or false" }).optional(),
  /** `BINARY(16)` as its bytes, which is so where it is not set, or as text. */
  uuids: field.exportUuids.optional(),
  /** Not set, they leave. */
  blobs: field.exportBlobs.optional(),
  /** The database of Glue where tables are registered; the deployment makes it. */
  catalogue: field.catalogueName.optional(),
});

const sites = strict({
  /** `direct`, which is so where it is not set: this program sends all files. `datasync`: a task of AWS DataSync copies the large ones. */
  engine: field.sitesEngine.optional(),
  /** ARN of that task. It exists already; the deployment makes none. */
  dataSyncTask: field.dataSyncTask.optional(),
  /** Of an exported file whose source is gone: `record` notes it in the inventory, `mirror` removes the exported file too. */
  deletions: field.exportDeletions.default("record"),
  /** Files that OpenEMR encrypted: `as-stored` they open for nobody who has only the export, `decrypted` they lie there in clear. */
  documents: field.exportDocuments.default("as-stored"),
});

const shape = strict({
  ...placeShape,
  /** The deployment makes the bucket, encrypted, with versions. Without it, the bucket has to be there. */
  createBucket: z.boolean({ error: "expected true or false" }).default(false),
  /** The deployment makes an application of EMR Serverless, where Spark reads the exports. It costs nothing while no job runs. */
  spark: z.boolean({ error: "expected true or false" }).default(false),
  database: database.default({ engine: "direct", profile: "full" }),
  sites: sites.default({ deletions: "record", documents: "as-stored" }),
  /** What pseudonyms are made with: the same key makes the same pseudonyms. */
  ...field.secretOf("pseudonymKey", pseudonymKeyProblem),
});

/** Only AWS's own buckets are made, by whom their account belongs to, and read by a role. */
const bucketRules = (settings: z.output<typeof shape>, context: Complain): void => {
  const { destination, endpoint, credentials } = settings;
  if (typeof destination !== "string") return;
  const parsed = parseDestinationUrl(destination);
  if ("problem" in parsed) return;
  if (parsed.address.kind === "s3" && endpoint === undefined && credentials === undefined) return;
  const message = "is for a bucket of AWS, s3:// without endpoint and credentials";
  for (const field of ["createBucket", "spark"] as const)
    if (settings[field] === true) complain(context, [field], message);
  if (valueAt(settings, ["database", "catalogue"]) !== undefined) complain(context, ["database", "catalogue"], message);
};

const rules = (settings: z.output<typeof shape>, context: Complain): void => {
  destinationRules(settings, context);
  bucketRules(settings, context);
  const { pseudonymKey, pseudonymKeyFile } = settings;
  if (pseudonymKey !== undefined && pseudonymKeyFile !== undefined)
    complain(context, ["pseudonymKey"], "say either pseudonymKey or pseudonymKeyFile, not both");
  const keyless = pseudonymKey === undefined && pseudonymKeyFile === undefined;
  if (valueAt(settings, ["database", "profile"]) === "deidentified" && keyless)
    complain(context, ["pseudonymKeyFile"], `is missing; the profile "deidentified" makes pseudonyms with this key`);
};

/** Exports for analytics: where they go, and what leaves. */
export const exports = section(
  shape.superRefine(rules, onAnyObject),
  ({ destination, endpoint, region, pathStyle, pseudonymKey, pseudonymKeyFile, ...rest }) => {
    const key = pseudonymKey ?? pseudonymKeyFile;
    return {
      ...rest,
      destination: settleDestination({ destination, endpoint, region, pathStyle }),
      ...(key ? { pseudonymKey: key } : {}),
    };
  },
  "endpoint",
  "region",
  "pathStyle",
  "pseudonymKeyFile",
);

/** DataSync copies from EFS to a bucket of AWS, for a task that AWS runs; it decrypts nothing. */
const dataSyncRules = (at: (...path: readonly string[]) => unknown, context: Complain): void => {
  const refuse = (message: string, ...path: readonly string[]) => complain(context, path, message);
  const task = at("exports", "sites", "dataSyncTask");
  if (at("exports", "sites", "engine") !== "datasync") {
    if (task !== undefined)
      refuse('is used by engine "datasync" alone; set that, or leave it away', "exports", "sites", "dataSyncTask");
    return;
  }
  if (task === undefined)
    refuse(
      'is missing; expected the ARN of the task that engine "datasync" starts',
      "exports",
      "sites",
      "dataSyncTask",
    );
  const platform = at("platform", "kind");
  if (typeof platform === "string" && platform !== "ecs")
    refuse(
      `is "datasync", which a task in AWS starts, and the platform is ${platform}; expected "direct"`,
      "exports",
      "sites",
      "engine",
    );
  if (at("sites", "fileSystemId") === undefined)
    refuse("is missing; expected the EFS file system that DataSync copies from", "sites", "fileSystemId");
  if (at("exports", "sites", "documents") === "decrypted")
    refuse('is "decrypted", and DataSync decrypts nothing; expected engine "direct"', "exports", "sites", "documents");
  const destination = at("exports", "destination");
  const parsed = typeof destination === "string" ? parseDestinationUrl(destination) : undefined;
  const isOfAws = at("exports", "endpoint") === undefined && at("exports", "credentials") === undefined;
  if (parsed && "address" in parsed && (parsed.address.kind !== "s3" || !isOfAws))
    refuse(
      'is no bucket that AWS\'s roles open, where engine "datasync" writes; expected s3:// without endpoint and credentials',
      "exports",
      "destination",
    );
};

/** AWS's own export is for clusters and buckets of AWS, and knows whole tables alone; a task of AWS sees files or the database. */
export const exportRules = (installation: unknown, context: Complain): void => {
  const at = (...path: readonly string[]) => valueAt(installation, path);
  if (at("exports", "sites", "documents") === "decrypted" && at("platform", "kind") === "ecs")
    complain(
      context,
      ["exports", "sites", "documents"],
      'is "decrypted", which needs keys in the database; on AWS the task that exports files reads no database: expected "as-stored"',
    );
  dataSyncRules(at, context);
  if (at("exports", "database", "engine") !== "aurora") return;
  const refuse = (message: string, ...path: readonly string[]) => complain(context, ["exports", ...path], message);
  const platform = at("platform", "kind");
  if (typeof platform === "string" && platform !== "ecs")
    refuse(
      `is "aurora", an export that AWS makes of its own cluster, and the platform is ${platform}; expected "direct"`,
      "database",
      "engine",
    );
  if (at("exports", "database", "profile") === "deidentified")
    refuse(
      'is "deidentified", and AWS\'s own export leaves out no columns; expected engine "direct"',
      "database",
      "profile",
    );
  for (const name of ["booleans", "uuids", "blobs", "catalogue"])
    if (at("exports", "database", name) !== undefined)
      refuse('is a choice that AWS\'s own export does not have; expected engine "direct"', "database", name);
  const destination = at("exports", "destination");
  const parsed = typeof destination === "string" ? parseDestinationUrl(destination) : undefined;
  if (parsed && "address" in parsed && (parsed.address.kind !== "s3" || at("exports", "endpoint") !== undefined))
    refuse('is no bucket of AWS, where engine "aurora" writes; expected s3:// without endpoint', "destination");
};
