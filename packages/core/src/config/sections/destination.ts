import * as z from "zod";
import {
  type DestinationAddress,
  type DestinationPlace,
  type DestinationUrl,
  destinationForms,
  endpointOrigin,
  parseDestinationUrl,
} from "../destinationAddress.ts";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { repositoryPasswordProblem } from "../repositoryPassword.ts";
import { type Complain, complain } from "../rules.ts";
import { strict } from "../strict.ts";

/** A place where data is kept, and the credentials for it. */
export const placeShape = {
  destination: z.string({ error: `expected ${destinationForms}` }),
  endpoint: field.endpoint.optional(),
  region: field.region.optional(),
  pathStyle: z.boolean({ error: "expected true or false" }).optional(),
  /** The store's own credentials; not set, those of the program's surroundings (AWS's or Google's usual environment). */
  credentials: field.storeCredentials.optional(),
};

/** A place where dumps are kept, and what opens it. */
export const destinationShape = {
  ...placeShape,
  /** Others for `retention` alone, so that those of dumps need not delete. */
  retentionCredentials: field.storeCredentials.optional(),
  /** What the store has to protect, and for how long: nobody deletes or overwrites it before. */
  immutability: strict({ days: field.lockDays, mode: field.lockMode.optional() }).optional(),
  /** The repository's. */
  ...field.secretOf("password", repositoryPasswordProblem),
};

interface WrittenDestination {
  readonly destination: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
  readonly immutability?: unknown;
}

const parsedAddress = (
  { destination }: WrittenDestination,
  context: Complain,
): { readonly kind: DestinationUrl["kind"] } | undefined => {
  if (typeof destination !== "string") return undefined;
  const parsed = parseDestinationUrl(destination);
  if ("address" in parsed) return parsed.address;
  complain(context, ["destination"], parsed.problem);
  return undefined;
};

/** What fits together in the fields of a destination. */
export const destinationRules = (
  settings: WrittenDestination & {
    readonly credentials?: unknown;
    readonly retentionCredentials?: unknown;
    readonly immutability?: { readonly mode?: unknown } | undefined;
  },
  context: Complain,
): void => {
  const address = parsedAddress(settings, context);
  if (!address) return;
  for (const name of ["endpoint", "region", "pathStyle"] as const) {
    if (address.kind !== "s3" && settings[name] !== undefined) {
      complain(context, [name], "is for destinations that start with s3://");
    }
  }
  for (const name of ["credentials", "retentionCredentials", "immutability"] as const) {
    if (address.kind === "file" && settings[name] !== undefined)
      complain(context, [name], "is for destinations that start with s3:// or gs://");
  }
  if (address.kind === "gcs" && valueAt(settings, ["immutability", "mode"]) !== undefined)
    complain(context, ["immutability", "mode"], "is for destinations that start with s3://");
  if (settings.retentionCredentials !== undefined && settings.credentials === undefined)
    complain(context, ["credentials"], "is missing; retentionCredentials are for retention alone");
  const onAws = address.kind === "s3" && settings.endpoint === undefined;
  if (onAws && typeof settings.region === "string" && !field.awsRegion.test(settings.region)) {
    complain(context, ["region"], "expected a region of AWS, such as eu-central-1");
  }
};

/** The address that the fields of a destination make together. */
export const settleDestination = (settings: WrittenDestination): DestinationAddress => {
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
    ...(settings.immutability === undefined ? {} : { locked: true }),
  };
};

/** The place of a destination that may be wrong elsewhere; `undefined` when it names none. */
export const placeOf = (written: unknown): DestinationPlace | undefined => {
  const [destination, endpoint] = [valueAt(written, ["destination"]), valueAt(written, ["endpoint"])];
  const parsed = typeof destination === "string" ? parseDestinationUrl(destination) : undefined;
  if (!parsed || "problem" in parsed) return undefined;
  return typeof endpoint === "string" ? { ...parsed.address, endpoint: endpointOrigin(endpoint) } : parsed.address;
};
