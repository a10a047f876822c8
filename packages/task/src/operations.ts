import { requireSection } from "@openemr-ops/core/config/select";
import type { JobStore } from "@openemr-ops/core/jobs";
import type { LockStore } from "@openemr-ops/core/locks";
import { checkDestination, type DestinationFinding } from "@openemr-ops/dumps/checkDestination";
import { chooseDump, type ListedDump, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { allowedPlace } from "./allowedPlace.ts";
import { checkSecrets } from "./checkSecrets.ts";
import { cloudSqlImport } from "./cloudSqlImport.ts";
import { openDestination } from "./openDestination.ts";
import { openSecrets } from "./openSecrets.ts";
import { openStores } from "./openStores.ts";
import { type DumpPurpose, ownCredentials } from "./ownCredentials.ts";
import type { Place } from "./program.ts";
import { dumpContext } from "./programs/dumpContext.ts";
import { type Programs, programs } from "./programs/index.ts";
import { trialStore } from "./trialStore.ts";
import type { SecretFinding } from "./trySecret.ts";

/** How a dump gets into Cloud SQL. Nothing was written: the service loads it when a person gives the command. */
export interface CloudSqlPlan {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly command: string;
}

/** All that command line and container can do. Errors are those of `@openemr-ops/core/errors`. */
export interface Operations {
  readonly programs: Programs;
  /** Records and locks for programs that no workflow runs. */
  openStores(place: Place): Promise<{ readonly jobs: JobStore; readonly locks: LockStore }>;
  /** Newest first. */
  listDumps(place: Place): Promise<readonly ListedDump[]>;
  planCloudSql(place: Place, options: { readonly dump: string; readonly intoDatabase: string }): Promise<CloudSqlPlan>;
  /** Reads and tries each secret of the installation. */
  checkSecrets(place: Place): Promise<readonly SecretFinding[]>;
  checkDestination(place: Place): Promise<readonly DestinationFinding[]>;
}

const dumpsOf = ({ config, installation }: Place) => requireSection(config, installation, "dumps");

export const operations: Operations = {
  programs,
  openStores,
  listDumps: async (place) => listDumps(await dumpContext(place)),
  planCloudSql: async (place, { dump, intoDatabase }) => {
    const manifest = await chooseDump(await dumpContext(place), dump);
    const command = cloudSqlImport(dumpsOf(place).dumps.destination, manifest, intoDatabase);
    return { dumpId: manifest.dumpId, takenAt: manifest.takenAt, command };
  },
  checkSecrets,
  checkDestination: async (place) => {
    const installation = dumpsOf(place);
    const { destination, retentionCredentials } = installation.dumps;
    const around = (purpose: DumpPurpose) => ({
      ...place,
      credentials: ownCredentials(installation.dumps, openSecrets(place.environment), purpose),
    });
    const open = (purpose: DumpPurpose) => openDestination(destination, around(purpose));
    return checkDestination(await open("work"), {
      now: place.now,
      signal: place.signal,
      assertPlace: allowedPlace(destination, installation.residency, around("work")),
      remover: retentionCredentials && (await open("retention")),
      openTrial: trialStore(installation, place.environment, openSecrets(place.environment)),
    });
  },
};
