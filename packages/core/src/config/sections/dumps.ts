import * as z from "zod";
import { type DestinationPlace, overlap } from "../destinationAddress.ts";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { type Complain, complain, onAnyObject } from "../rules.ts";
import { sealKeyProblem } from "../sealKey.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";
import { copiesShape, settleCopy } from "./copies.ts";
import { destinationRules, destinationShape, placeOf, settleDestination } from "./destination.ts";
import { drillShape } from "./drill.ts";
import { needsOnePassword, onePassword } from "./login.ts";
import { retention } from "./retention.ts";

const shape = strict({
  /** `restic`: a repository. `portable`: a manifest and plain compressed files. */
  format: field.dumpFormat.default("restic"),
  ...destinationShape,
  compression: field.compression.optional(),
  /** X25519 recipients (`age1…`); none means not encrypted by us. */
  ageRecipients: z.array(field.ageRecipient, { error: "expected a list of age recipients" }).optional(),
  /** The identity that opens them; needed to restore, drill and check, not to dump. */
  ageIdentityFile: field.ageIdentityFile.optional(),
  /** What manifests are sealed with, so that nobody else can pass a set off as ours. */
  sealKeyFile: field.secretFile(sealKeyProblem).optional(),
  retention,
  copies: copiesShape.default([]),
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
  const { format } = settings;
  if (format === "restic") needsOnePassword(settings, context);
  const other = format === "restic" ? ofOneFormat.portable : format === "portable" ? ofOneFormat.restic : undefined;
  for (const name of other?.fields ?? []) {
    if (settings[name] !== undefined) complain(context, [name], other?.otherwise ?? "");
  }
  if (format === "portable" && Array.isArray(settings.copies)) refusePasswords(settings.copies, context);
  destinationRules(settings, context);
};

const refusePasswords = (copies: readonly unknown[], context: Complain): void => {
  for (const [index, copy] of copies.entries())
    for (const name of ofOneFormat.restic.fields)
      if (valueAt(copy, [name]) !== undefined) complain(context, ["copies", index, name], ofOneFormat.restic.otherwise);
};

/**
 * Dumps of database and files: where they go, how, how long they are kept. The drill stays as it was written: its server is
 * known only beside the installation's database.
 */
export const dumps = section(
  shape.superRefine(rules, onAnyObject),
  ({ format, destination, endpoint, region, pathStyle, copies, ...rest }) => {
    const { password, passwordFile, compression, ageRecipients, ageIdentityFile, sealKeyFile, ...both } = rest;
    const common = {
      ...both,
      destination: settleDestination({ destination, endpoint, region, pathStyle, immutability: both.immutability }),
      copies: copies.map(settleCopy),
    };
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

/**
 * Two installations, or a copy and its original, in one repository or inside each other would prune and overwrite each other.
 * Exports are for other readers than dumps: who may read the ones must not come across the others.
 */
export const separateDestinations = (installations: readonly unknown[], context: Complain): void => {
  const seen: { readonly name: string; readonly place: DestinationPlace }[] = [];
  const look = (owner: string, written: unknown, path: readonly PropertyKey[]): void => {
    const place = placeOf(written);
    if (!place) return;
    const other = seen.find((earlier) => overlap(earlier.place, place));
    if (other)
      complain(
        context,
        [...path, "destination"],
        `is the same place as that of ${other.name}, or one lies inside the other`,
      );
    seen.push({ name: owner, place });
  };
  installations.forEach((one, index) => {
    const dumps = valueAt(one, ["dumps"]);
    look(`installations[${index}]`, dumps, ["installations", index, "dumps"]);
    look(`installations[${index}].exports`, valueAt(one, ["exports"]), ["installations", index, "exports"]);
    const copies = valueAt(dumps, ["copies"]);
    for (const [number, copy] of (Array.isArray(copies) ? copies : []).entries()) {
      const name = `installations[${index}].dumps.copies[${number}]`;
      look(name, copy, ["installations", index, "dumps", "copies", number]);
    }
  });
};
