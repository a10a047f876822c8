import { tmpdir } from "node:os";
import { join } from "node:path";
import { ecsService } from "@openemr-ops/aws/ecsService";
import { sealKeyProblem } from "@openemr-ops/core/config/sealKey";
import { readOnce, type SecretReader, type SecretReference } from "@openemr-ops/core/config/secrets";
import type {
  Config,
  DatabaseServer,
  DumpSettings,
  Installation,
  InstallationWith,
} from "@openemr-ops/core/config/settings";
import type { Destination } from "@openemr-ops/core/destination";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { JobHistory } from "@openemr-ops/core/jobs";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { DumpContext, Tools } from "@openemr-ops/dumps/context";
import type { DumpStore } from "@openemr-ops/dumps/store/dumpStore";
import { portableStore } from "@openemr-ops/dumps/store/portable";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import type { ResticSettings } from "@openemr-ops/dumps/store/resticProgram";
import { realPlace } from "@openemr-ops/files/directory";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { allowedPlace } from "./allowedPlace.ts";
import { openDestination } from "./openDestination.ts";
import { openLocation } from "./openLocation.ts";
import { type DumpPurpose, ownCredentials } from "./ownCredentials.ts";
import { realSites } from "./realPlaces.ts";

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readSecret: SecretReader;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  /** Earlier jobs; not set, those in the state directory. */
  readonly history?: JobHistory;
}

/** Programs come from the PATH; a variable names another copy. */
export const toolsFrom = (environment: Surroundings["environment"]): Tools => ({
  restic: environment.OPENEMR_OPS_RESTIC ?? "restic",
  mariadb: environment.OPENEMR_OPS_MARIADB ?? "mariadb",
  mariadbDump: environment.OPENEMR_OPS_MARIADB_DUMP ?? "mariadb-dump",
  tar: environment.OPENEMR_OPS_TAR ?? "tar",
  mariadbd: environment.OPENEMR_OPS_MARIADBD ?? "mariadbd",
  mariadbInstallDb: environment.OPENEMR_OPS_MARIADB_INSTALL_DB ?? "mariadb-install-db",
});

/** @throws {InvalidInputError} also when it is short enough to be guessed */
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
  purpose: DumpPurpose,
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
  return resticStore(resticSettings(config, installation, dumps, destination, surroundings, purpose));
};

/** How restic opens the repository of an installation. */
export const resticSettings = (
  { stateDirectory }: Config,
  { id }: Installation,
  dumps: Extract<DumpSettings, { readonly format: "restic" }>,
  destination: Destination,
  { environment, readSecret }: Pick<Surroundings, "environment" | "readSecret">,
  purpose: DumpPurpose = "work",
): ResticSettings => ({
  restic: toolsFrom(environment).restic,
  installation: id,
  location: openLocation(dumps.destination, environment, ownCredentials(dumps, readSecret, purpose)),
  readPassword: () => readSecret(dumps.password),
  cacheDirectory: join(stateDirectory, "restic-cache"),
  destination,
});

/** How a user of the configuration reaches a schema. */
export const databaseAccess = (
  server: Pick<DatabaseServer, "host" | "port" | "tls" | "caFile">,
  name: string,
  { user, password }: { readonly user: string; readonly password: SecretReference },
  readSecret: SecretReader,
): DatabaseAccess => ({
  host: server.host,
  port: server.port,
  name,
  user,
  password: readOnce(() => readSecret(password)),
  tls: server.tls,
  ...(server.caFile ? { caFile: server.caFile } : {}),
});

/** Opens what the dump jobs of one installation need. Each password is read when it is first needed. */
export const openContext = async (
  config: Config,
  installation: InstallationWith<"dumps">,
  surroundings: Surroundings,
  purpose: DumpPurpose = "work",
): Promise<DumpContext> => {
  const { database, dumps, platform } = installation;
  const credentials = ownCredentials(dumps, surroundings.readSecret, purpose);
  const destination = await openDestination(dumps.destination, { ...surroundings, credentials });
  const tools = toolsFrom(surroundings.environment);
  const access = (server: DatabaseServer, login: Pick<DatabaseServer, "user" | "password">) => ({
    ...databaseAccess(server, database.name, login, surroundings.readSecret),
    signal: surroundings.signal,
  });
  const restoreDatabase = access({ ...database, ...database.restore }, database.restore);
  const chosen = dumps.drill.database;
  const drillServer = chosen && chosen !== "own" ? access(chosen, chosen) : restoreDatabase;
  const { now, signal, progress, warn } = surroundings;
  const directory = config.stateDirectory;
  return {
    installation: installation.id,
    database: access(database, database),
    restoreDatabase,
    drillDatabase: chosen === "own" ? chosen : drillServer,
    drillDirectory: await realPlace(dumps.drill.directory ?? tmpdir()),
    sitesPath: await realSites(config, installation),
    codePath: platform.kind === "host" ? platform.codePath : undefined,
    url: installation.url,
    service: platform.kind === "ecs" ? ecsService(platform) : undefined,
    store: storeOf(config, installation, destination, tools, surroundings, purpose),
    destination,
    assertPlace: allowedPlace(dumps.destination, installation.residency, { ...surroundings, credentials }),
    immutability: dumps.immutability,
    stateDirectory: directory,
    stallSeconds: dumps.stallSeconds,
    tools,
    jobs: surroundings.history ?? fileJobs({ directory: join(directory, "jobs"), now, warn }),
    now,
    signal,
    progress,
    warn,
  };
};
