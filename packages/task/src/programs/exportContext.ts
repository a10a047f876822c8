import { requireSection } from "@openemr-ops/core/config/select";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { ExportContext } from "@openemr-ops/exports/context";
import { allowedPlace } from "../allowedPlace.ts";
import { databaseAccess } from "../openContext.ts";
import { openDestination } from "../openDestination.ts";
import { openSecrets } from "../openSecrets.ts";
import { ownCredentials } from "../ownCredentials.ts";
import type { Place } from "../program.ts";

export const exportsOf = ({
  config,
  installation,
}: Pick<Place, "config" | "installation">): InstallationWith<"exports"> =>
  requireSection(config, installation, "exports");

/** The server to read: the reader where there is one, with the users of the other. */
export const exportedDatabase = (place: Place): DatabaseAccess => {
  const { database, exports } = exportsOf(place);
  const server = { ...database, ...exports.database.reader };
  return { ...databaseAccess(server, database.name, database, openSecrets(place.environment)), signal: place.signal };
};

/** What both exports work with. */
export const exportContext = async (place: Place): Promise<ExportContext> => {
  const { exports, id, residency } = exportsOf(place);
  const { environment, now, signal, progress, warn } = place;
  const around = { environment, warn, credentials: ownCredentials(exports, openSecrets(environment)) };
  return {
    installation: id,
    destination: await openDestination(exports.destination, around),
    assertPlace: allowedPlace(exports.destination, residency, around),
    now,
    signal,
    progress,
    warn,
  };
};
