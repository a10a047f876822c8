import { tmpdir } from "node:os";
import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { findPlaceIssues } from "@openemr-ops/core/config/places";
import type { Config, Installation } from "@openemr-ops/core/config/settings";
import { DestinationMissingError, InvalidInputError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { realPlace } from "@openemr-ops/files/directory";

const realDestination = async <Settings extends { readonly destination: DestinationAddress }>(
  settings: Settings,
): Promise<Settings> => {
  const { destination } = settings;
  if (destination.kind !== "file") return settings;
  const directory = await realPlace(destination.directory).catch((error: unknown) => {
    if (!(error instanceof TargetUnsuitableError)) throw error;
    throw new DestinationMissingError(error.message, { cause: error, field: "destination" });
  });
  return { ...settings, destination: { ...destination, directory } };
};

/**
 * Where the sites tree of an installation really is. The real paths of directories that must be outside
 * it are resolved too, before any file is written.
 *
 * @throws {InvalidInputError} fatal: the state, a destination or the drills lie inside
 */
export const realSites = async (config: Config, installation: Installation): Promise<string> => {
  const path = await realPlace(installation.sites.path);
  const { dumps, exports } = installation;
  const real: Installation = {
    ...installation,
    sites: { ...installation.sites, path },
    ...(dumps
      ? {
          dumps: {
            ...(await realDestination(dumps)),
            drill: { ...dumps.drill, directory: await realPlace(dumps.drill.directory ?? tmpdir()) },
            copies: await Promise.all(dumps.copies.map(realDestination)),
          },
        }
      : {}),
    ...(exports ? { exports: await realDestination(exports) } : {}),
  };
  const issues = findPlaceIssues({
    ...config,
    stateDirectory: await realPlace(config.stateDirectory),
    installations: config.installations.map((each) => (each.id === installation.id ? real : each)),
  });
  if (issues.length > 0) throw new InvalidInputError(issues);
  return path;
};
