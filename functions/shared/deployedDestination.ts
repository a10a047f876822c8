import { parseJson } from "@openemr-ops/core/config/jsonText";
import { googleCredentialsIn, storeKeysIn } from "@openemr-ops/core/config/storeSecret";
import { parseStrictly, strict } from "@openemr-ops/core/config/strict";
import type { Destination } from "@openemr-ops/core/destination";
import { InvalidInputError } from "@openemr-ops/core/errors";
import * as z from "zod";
import type { Environment } from "./environment.ts";

const place = {
  bucket: z.string({ error: "expected a bucket's name" }),
  prefix: z.string({ error: "expected a prefix, empty for the bucket's root" }),
};

const settings = strict({
  destination: z.discriminatedUnion(
    "kind",
    [
      strict({
        kind: z.literal("s3"),
        ...place,
        endpoint: z.string().optional(),
        region: z.string().optional(),
        pathStyle: z.boolean({ error: "expected true or false" }),
        locked: z.boolean({ error: "expected true or false" }).optional(),
      }),
      strict({ kind: z.literal("gcs"), ...place }),
    ],
    { error: "expected s3 or gcs, where a deployed installation keeps its dumps" },
  ),
  /** What opens a store that has credentials of its own. */
  secret: strict({ arn: z.string({ error: "expected a secret's ARN" }), key: z.string().optional() }).optional(),
});

/** Where a deployed installation keeps its dumps, as a function's environment says it in JSON. */
export type DeployedDestination = z.output<typeof settings>;

/** @throws {InvalidInputError} fatal: names the field */
export const readDeployedDestination = (destination: string, environment: Environment): DeployedDestination => {
  const { OPENEMR_OPS_STORE_SECRET: secret } = environment;
  const parsed = parseStrictly(settings, {
    destination: parseJson(destination),
    ...(secret ? { secret: parseJson(secret) } : {}),
  });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

/**
 * Several of them, as one variable lists them.
 *
 * @throws {InvalidInputError} fatal: names the field
 */
export const readDeployedDestinations = (text: string): readonly DeployedDestination[] => {
  const parsed = parseStrictly(z.array(settings), parseJson(text));
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

/** Opens it. Credentials are read anew each time, so that new ones are seen; a cloud's SDK is loaded when it is needed. */
export const openDeployedDestination = async (
  { destination, secret }: DeployedDestination,
  section: "dumps" | "exports" = "dumps",
): Promise<Destination> => {
  const field = `${section}.credentials`;
  const read = async () => {
    const { awsSecret } = await import("@openemr-ops/aws/awsSecret");
    return awsSecret()(secret?.arn ?? "", secret?.key, true);
  };
  if (destination.kind === "s3") {
    const { s3Destination } = await import("@openemr-ops/aws/s3Destination");
    return s3Destination({ ...destination, readKeys: secret && (async () => storeKeysIn(field, await read())) });
  }
  const { gcsDestination } = await import("@openemr-ops/gcp/gcsDestination");
  const { googleAuth } = await import("@openemr-ops/gcp/googleCredentials");
  const { roleKeys } = await import("@openemr-ops/aws/roleKeys");
  const google = googleCredentialsIn(field, await read());
  return gcsDestination({ ...destination, authClient: googleAuth(google, roleKeys()) });
};
