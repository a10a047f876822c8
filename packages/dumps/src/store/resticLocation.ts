import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { proxyVariables } from "@openemr-ops/core/proxies";
import type { S3Access } from "@openemr-ops/core/s3Access";

/** How one run of restic reaches a repository. */
export interface ResticAccess {
  readonly repository: string;
  readonly options: readonly string[];
  /** Credentials, region and proxies by environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Removes the files that were made for this run; called once it has ended. */
  readonly release?: () => Promise<void>;
}

/** Variables that lead a run to files with credentials, and what removes these. */
export type CredentialFiles = Required<Pick<ResticAccess, "environment" | "release">>;

/** Where a repository lies, in restic's words. */
export interface ResticLocation {
  /** Whether this is a store of objects; a directory needs no cache beside it. */
  readonly cached: boolean;
  /** Asked for at each start of restic: credentials may be new. */
  readonly access: () => Promise<ResticAccess>;
}

const forGoogle = [
  "GOOGLE_PROJECT_ID",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_ACCESS_TOKEN",
  "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
  "STORAGE_EMULATOR_HOST",
];

type Address<Kind extends DestinationAddress["kind"]> = Extract<DestinationAddress, { kind: Kind }>;

export const directoryLocation = ({ directory }: Address<"file">): ResticLocation => ({
  cached: false,
  access: async () => ({ repository: directory, options: [], environment: {} }),
});

/**
 * @param environment the program's own; only what leads to the store is passed on
 * @param files makes the store's own credentials readable for one run; not set, those of the environment serve
 */
export const googleLocation = (
  { bucket, prefix }: Address<"gcs">,
  environment: Readonly<Record<string, string | undefined>>,
  files?: () => Promise<CredentialFiles>,
): ResticLocation => ({
  cached: true,
  access: async () => {
    const { environment: own = {}, release } = (await files?.()) ?? {};
    const passed = files ? forGoogle.filter((name) => name !== "GOOGLE_ACCESS_TOKEN") : forGoogle; // a token would win
    return {
      repository: `gs:${bucket}:/${prefix}`,
      options: [],
      environment: {
        GOOGLE_PROJECT_ID: "unused", // asked for only when a bucket is to be made
        ...proxyVariables(environment),
        ...Object.fromEntries(
          passed.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
        ),
        ...own,
      },
      ...(release ? { release } : {}),
    };
  },
});

/**
 * @param find how our own client reaches the bucket: restic finds out nothing itself
 * @param environment the program's own; of it only the proxies are passed on
 */
export const s3Location = (
  { bucket, prefix }: Address<"s3">,
  find: () => Promise<S3Access>,
  environment: Readonly<Record<string, string | undefined>>,
): ResticLocation => ({
  cached: true,
  access: async () => {
    const { server, region, pathStyle, credentials } = await find();
    return {
      repository: `s3:${[server, bucket, prefix].filter(Boolean).join("/")}`,
      options: ["-o", `s3.bucket-lookup=${pathStyle ? "path" : "dns"}`],
      environment: { ...proxyVariables(environment), ...credentials, AWS_DEFAULT_REGION: region },
    };
  },
});
