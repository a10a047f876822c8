import * as z from "zod";
import {
  type DestinationAddress,
  type DestinationPlace,
  destinationForms,
  endpointOrigin,
  overlap,
  parseDestinationUrl,
} from "../destinationAddress.ts";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { repositoryPasswordProblem } from "../repositoryPassword.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { sealKeyProblem } from "../sealKey.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { drillShape } from "./drill.ts";
import { needsOnePassword, onePassword } from "./login.ts";

/** How many dumps to keep by period; 0 is none of that kind. At least one is above 0. */
const retention = strict({
  keepLast: field.keep.default(0),
  keepDaily: field.keep.default(0),
  keepWeekly: field.keep.default(0),
  keepMonthly: field.keep.default(0),
  keepYearly: field.keep.default(0),
}).refine((policy) => Object.values(policy).some((count) => count > 0), {
  error: "keeps nothing; set at least one of keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly above 0",
});

const shape = strict({
  /** `restic`: a repository. `portable`: a manifest and plain compressed files. */
  format: field.dumpFormat.default("restic"),
  destination: z.string({ error: `expected ${destinationForms}` }),
  endpoint: field.endpoint.optional(),
  region: field.region.optional(),
  pathStyle: z.boolean({ error: "expected true or false" }).optional(),
  /** The store's own credentials; not set, those of the program's surroundings (AWS's or Google's usual environment). */
  credentials: field.storeCredentials.optional(),
  /** Others for `retention` alone, so that those of dumps need not delete. */
  retentionCredentials: field.storeCredentials.optional(),
  /** The repository's. */
  ...field.secretOf("password", repositoryPasswordProblem),
  compression: field.compression.optional(),
  /** X25519 recipients (`age1…`); none means not encrypted by us. */
  ageRecipients: z.array(field.ageRecipient, { error: "expected a list of age recipients" }).optional(),
  /** The identity that opens them; needed to restore, drill and check, not to dump. */
  ageIdentityFile: field.ageIdentityFile.optional(),
  /** What manifests are sealed with, so that nobody else can pass a set off as ours. */
  sealKeyFile: field.secretFile(sealKeyProblem).optional(),
  retention,
  /** A dump that moves no byte for this long is stopped. */
  stallSeconds: field.stallSeconds.default(300),
  drill: drillShape.default({}),
});

/** Fields that one format alone takes, and what is said of them with the other. */
const ofOneFormat = {
  portable: {
    fields: ["compression", "ageRecipients", "ageIdentityFile", "sealKeyFile"],
    otherwise: 'is for format "portable"; restic compresses, encrypts and seals by itself',
  },
  restic: {
    fields: ["password", "passwordFile"],
    otherwise: 'is for format "restic"; a portable dump is encrypted with ageRecipients',
  },
} as const;

const rules = (settings: z.output<typeof shape>, context: Complain): void => {
  const { format, destination, endpoint, region } = settings;
  if (format === "restic") needsOnePassword(settings, context);
  const other = format === "restic" ? ofOneFormat.portable : format === "portable" ? ofOneFormat.restic : undefined;
  for (const name of other?.fields ?? []) {
    if (settings[name] !== undefined) complain(context, [name], other?.otherwise ?? "");
  }
  if (typeof destination !== "string") return;
  const parsed = parseDestinationUrl(destination);
  if ("problem" in parsed) {
    complain(context, ["destination"], parsed.problem);
    return;
  }
  for (const name of ["endpoint", "region", "pathStyle"] as const) {
    if (parsed.address.kind !== "s3" && settings[name] !== undefined) {
      complain(context, [name], "is for destinations that start with s3://");
    }
  }
  for (const name of ["credentials", "retentionCredentials"] as const) {
    if (parsed.address.kind === "file" && settings[name] !== undefined)
      complain(context, [name], "is for destinations that start with s3:// or gs://");
  }
  if (settings.retentionCredentials !== undefined && settings.credentials === undefined)
    complain(context, ["credentials"], "is missing; retentionCredentials are for retention alone");
  const onAws = parsed.address.kind === "s3" && endpoint === undefined;
  if (onAws && typeof region === "string" && !field.awsRegion.test(region)) {
    complain(context, ["region"], "expected a region of AWS, such as eu-central-1");
  }
};

type WrittenDestination = Pick<z.output<typeof shape>, "destination" | "endpoint" | "region" | "pathStyle">;

const settleDestination = (settings: WrittenDestination): DestinationAddress => {
  const parsed = parseDestinationUrl(settings.destination);
  if ("problem" in parsed) throw new TypeError("the schema lets only valid destinations pass");
  const { address } = parsed;
  if (address.kind === "file") return { kind: "file", directory: address.directory };
  if (address.kind === "gcs") return { kind: "gcs", bucket: address.bucket, prefix: address.prefix };
  const endpoint = settings.endpoint === undefined ? undefined : endpointOrigin(settings.endpoint);
  const region = settings.region ?? (endpoint === undefined ? undefined : "us-east-1");
  return {
    kind: "s3",
    bucket: address.bucket,
    prefix: address.prefix,
    pathStyle: settings.pathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  };
};

/**
 * Dumps of database and files: where they go, how, how long they are kept. The drill stays as it was written: its server is
 * known only beside the installation's database.
 */
export const dumps = section(
  shape.superRefine(rules, onAnyObject),
  ({ format, destination, endpoint, region, pathStyle, ...rest }) => {
    const { password, passwordFile, compression, ageRecipients, ageIdentityFile, sealKeyFile, ...both } = rest;
    const common = { ...both, destination: settleDestination({ destination, endpoint, region, pathStyle }) };
    if (format === "restic") return { ...common, format, password: onePassword({ password, passwordFile }) };
    return {
      ...common,
      format,
      compression: compression ?? ("zstd" as const),
      ageRecipients: ageRecipients ?? [],
      ...(ageIdentityFile === undefined ? {} : { ageIdentityFile }),
      ...(sealKeyFile === undefined ? {} : { sealKey: sealKeyFile }),
    };
  },
  "endpoint",
  "region",
  "pathStyle",
  "passwordFile",
  "sealKeyFile",
);

/** Two installations in one repository, or one inside the other's directory, would prune and overwrite each other. */
export const separateDestinations = (installations: readonly unknown[], context: Complain): void => {
  const seen: { readonly index: number; readonly place: DestinationPlace }[] = [];
  installations.forEach((one, index) => {
    const destination = valueAt(one, ["dumps", "destination"]);
    const endpoint = valueAt(one, ["dumps", "endpoint"]);
    const parsed = typeof destination === "string" ? parseDestinationUrl(destination) : undefined;
    if (!parsed || "problem" in parsed) return;
    const place =
      typeof endpoint === "string" ? { ...parsed.address, endpoint: endpointOrigin(endpoint) } : parsed.address;
    const other = seen.find((earlier) => overlap(earlier.place, place));
    if (other) {
      const message = `is the same place as that of installations[${other.index}], or one lies inside the other`;
      complain(context, ["installations", index, "dumps", "destination"], message);
    }
    seen.push({ index, place });
  });
};
