import { mkdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { findSystemTool, findTool } from "@openemr-ops/local/tools/findTool";
import { openContext, type Surroundings } from "@openemr-ops/task/openContext";
import { openSecrets } from "@openemr-ops/task/openSecrets";
import { inject } from "vitest";
import type { WrittenInstallation } from "./configuration.ts";
import { type FreshSchema, tlsOf } from "./database.ts";
import { aRepositoryPassword, putQuickRepository } from "./quickRepository.ts";
import { quickRestic } from "./quickRestic.ts";

export const aSealKey = "canary-seal-key-0f5c7d19a2b84e6390cc";

export interface DumpContextOptions {
  /** The live schema; its dump user reads it, its restore user loads into schemas beside it. */
  readonly schema: FreshSchema;
  readonly sitesPath: string;
  /** State, drills and, unless `dumps` says another, the destination `repository/` go here. */
  readonly directory: string;
  readonly id?: string;
  readonly dumps?: Partial<WrittenInstallation["dumps"]>;
  /** Path of the restic to use. */
  readonly restic?: string;
  /** Credentials of the destination. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly surroundings?: Partial<Omit<Surroundings, "environment" | "readSecret">>;
  readonly platform?: WrittenInstallation["platform"];
  /** Server of restores; not set, that of the schema. */
  readonly restoreHost?: { readonly host: string; readonly port: number };
  /** True: the first dump makes the repository, with a key as restic makes it. Else that is a quick one; see `quickRepository.ts`. */
  readonly newRepository?: boolean;
}

/** Options with as much of the schema as a configuration names. */
type Described = Omit<DumpContextOptions, "schema"> & {
  readonly schema: Pick<FreshSchema, "host" | "port" | "name" | "caFile" | "dumpUser" | "restoreUser">;
};

/** Where the program makes a repository itself, a restic that makes quick ones, unless a test has a program of its own. */
const resticFor = ({ restic = findTool("restic") ?? "restic", dumps, directory, newRepository }: Described): string => {
  const makesOne = dumps?.format !== "portable" && (dumps?.destination !== undefined || dumps?.copies !== undefined);
  if (!makesOne || newRepository || !resticsHere().some((each) => each.restic === restic)) return restic;
  mkdirSync(directory, { recursive: true });
  return quickRestic(directory, restic);
};

/** The configuration as an operator would write it, and the variables that hold its passwords. Puts a repository there. */
export const configurationFor = (options: Described) => {
  const { schema, directory } = options;
  const portable = options.dumps?.format === "portable";
  const config = {
    stateDirectory: join(directory, "state"),
    installations: [
      {
        id: options.id ?? "clinic-a",
        platform: options.platform ?? { kind: "host" },
        database: {
          host: schema.host,
          port: schema.port,
          name: schema.name,
          user: schema.dumpUser.user,
          password: "env:DUMP_USER_PASSWORD",
          ...tlsOf(schema),
          restore: { ...options.restoreHost, user: schema.restoreUser.user, password: "env:RESTORE_USER_PASSWORD" },
        },
        sites: { path: options.sitesPath },
        dumps: {
          destination: `file://${join(directory, "repository")}`,
          ...(portable ? { sealKeyFile: "env:SEAL_KEY" } : { password: "env:REPOSITORY_PASSWORD" }),
          retention: { keepLast: 3 },
          drill: { directory: join(directory, "drills") },
          ...options.dumps,
        },
      },
    ],
  };
  if (!portable && !options.dumps?.destination && !options.newRepository)
    putQuickRepository(join(directory, "repository"), inject("quickRepository"));
  const environment: Readonly<Record<string, string>> = {
    DUMP_USER_PASSWORD: schema.dumpUser.password,
    RESTORE_USER_PASSWORD: schema.restoreUser.password,
    REPOSITORY_PASSWORD: aRepositoryPassword,
    SEAL_KEY: aSealKey,
    OPENEMR_OPS_RESTIC: resticFor(options),
    ...options.environment,
  };
  return { config, environment };
};

/**
 * A context as the task program puts it together from a configuration, for a schema of a test's own. Everything that
 * tests replace afterwards is a field: `{ ...context, locks: memoryLocks() }`.
 */
export const contextFor = async (options: Described): Promise<DumpContext> => {
  const { directory } = options;
  const written = configurationFor(options);
  const config = resolveConfig(configSchema.parse(written.config), directory);
  await mkdir(join(directory, "drills"), { recursive: true });
  const { environment } = written;
  return openContext(config, config.installations[0] as InstallationWith<"dumps">, {
    environment,
    readSecret: openSecrets(environment),
    now: () => new Date(),
    signal: new AbortController().signal,
    progress: () => undefined,
    warn: () => undefined,
    ...options.surroundings,
  });
};

/** The restics that every promise is tried with: the project's own, and the older one of the system. */
export const resticsHere = (): readonly {
  readonly name: string;
  readonly restic: string;
  readonly older: boolean;
}[] => {
  const own = findTool("restic");
  const systems = findSystemTool("restic");
  return [
    ...(own ? [{ name: "current restic", restic: own, older: false }] : []),
    ...(systems && systems !== own ? [{ name: "the system's restic", restic: systems, older: true }] : []),
  ];
};

/** A directory for a whole file of tests; the caller removes it. */
export const aWorkDirectory = async (): Promise<{ readonly path: string; remove(): Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), "openemr-ops-dumps-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};
