import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPlaceIssues } from "@openemr-ops/core/config/places";
import { sealKeyProblem } from "@openemr-ops/core/config/sealKey";
import { readOnce, type SecretReader, type SecretReference } from "@openemr-ops/core/config/secrets";
import type { Config, DatabaseServer, InstallationWith } from "@openemr-ops/core/config/settings";
import type { Destination } from "@openemr-ops/core/destination";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { DumpContext, Tools } from "@openemr-ops/dumps/context";
import type { DumpStore } from "@openemr-ops/dumps/store/dumpStore";
import { portableStore } from "@openemr-ops/dumps/store/portable";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import { resticLocation } from "@openemr-ops/dumps/store/resticLocation";
import { realPlace } from "@openemr-ops/files/directory";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { fileLocks } from "@openemr-ops/files/fileLocks";
import { openDestination } from "./openDestination.ts";
import type { WorkflowStores } from "./workflow/stores.ts";

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readSecret: SecretReader;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  /** Records and locks of a workflow; not set, files in the state directory. */
  readonly stores?: WorkflowStores;
}

/** Programs come from the PATH; a variable names another copy. */
export const toolsFrom = (environment: Surroundings["environment"]): Tools => ({
  restic: environment.OPENEMR_OPS_RESTIC ?? "restic",
  mariadb: environment.OPENEMR_OPS_MARIADB ?? "mariadb",
  mariadbDump: environment.OPENEMR_OPS_MARIADB_DUMP ?? "mariadb-dump",
  tar: environment.OPENEMR_OPS_TAR ?? "tar",
});

/** @throws {InvalidInputError} also when it is too short to withstand guessing */
const readSealKey = async (reference: SecretReference, readSecret: SecretReader): Promise<string> => {
  const key = await readSecret(reference);
  const problem = sealKeyProblem(key);
  if (problem) throw new InvalidInputError([{ path: reference.field, message: `the key ${problem}` }]);
  return key;
};

const storeOf = (
  config: Config,
  installation: InstallationWith<"dumps">,
  destination: Destination,
  tools: Tools,
  surroundings: Surroundings,
): DumpStore => {
  const { dumps } = installation;
  if (dumps.format === "portable") {
    const { sealKey } = dumps;
    return portableStore({
      destination,
      tar: tools.tar,
      compression: dumps.compression,
      ageRecipients: dumps.ageRecipients,
      ageIdentityFile: dumps.ageIdentityFile,
      readSealKey: sealKey && (() => readSealKey(sealKey, surroundings.readSecret)),
    });
  }
  return resticStore({
    restic: tools.restic,
    installation: installation.id,
    location: resticLocation(dumps.destination, surroundings.environment),
    readPassword: () => surroundings.readSecret(dumps.password),
    cacheDirectory: join(config.stateDirectory, "restic-cache"),
    destination,
  });
};

/**
 * Where the sites tree really is. Directories that may not lie in it are looked at where they really are, too.
 *
 * @throws {InvalidInputError} fatal: the state, a destination or the drills lie inside
 */
const realSites = async (config: Config, installation: InstallationWith<"dumps">): Promise<string> => {
  const path = await realPlace(installation.sites.path);
  const { dumps } = installation;
  const { destination, drill } = dumps;
  const real: InstallationWith<"dumps"> = {
    ...installation,
    sites: { ...installation.sites, path },
    dumps: {
      ...dumps,
      drill: { ...drill, directory: await realPlace(drill.directory ?? tmpdir()) },
      ...(destination.kind === "file"
        ? { destination: { ...destination, directory: await realPlace(destination.directory) } }
        : {}),
    },
  };
  const issues = findPlaceIssues({
    ...config,
    stateDirectory: await realPlace(config.stateDirectory),
    installations: config.installations.map((each) => (each.id === installation.id ? real : each)),
  });
  if (issues.length > 0) throw new InvalidInputError(issues);
  return path;
};

/** Puts together what the dump jobs of one installation need. Each password is read when it is first needed. */
export const openContext = async (
  config: Config,
  installation: InstallationWith<"dumps">,
  surroundings: Surroundings,
): Promise<DumpContext> => {
  const { database, dumps, platform } = installation;
  const destination = await openDestination(dumps.destination);
  const tools = toolsFrom(surroundings.environment);
  const access = (
    server: DatabaseServer,
    { user, password }: { readonly user: string; readonly password: SecretReference },
  ): DatabaseAccess => ({
    host: server.host,
    port: server.port,
    name: database.name,
    user,
    password: readOnce(() => surroundings.readSecret(password)),
    tls: server.tls,
    ...(server.caFile ? { caFile: server.caFile } : {}),
  });
  const restoreDatabase = access(database, database.restore);
  const drillServer = dumps.drill.database;
  const { now, signal, progress, warn } = surroundings;
  const directory = config.stateDirectory;
  return {
    installation: installation.id,
    jobId: surroundings.stores?.jobId,
    database: access(database, database),
    restoreDatabase,
    drillDatabase: drillServer ? access(drillServer, drillServer) : restoreDatabase,
    drillDirectory: await realPlace(dumps.drill.directory ?? tmpdir()),
    sitesPath: await realSites(config, installation),
    codePath: platform.kind === "host" ? platform.codePath : undefined,
    url: installation.url,
    store: storeOf(config, installation, destination, tools, surroundings),
    destination,
    stateDirectory: directory,
    stallSeconds: dumps.stallSeconds,
    tools,
    jobs: surroundings.stores?.jobs ?? fileJobs({ directory: join(directory, "jobs"), now, warn }),
    locks: surroundings.stores?.locks ?? fileLocks({ directory: join(directory, "locks"), now, warn }),
    now,
    signal,
    progress,
    warn,
  };
};
