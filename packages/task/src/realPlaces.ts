import { tmpdir } from "node:os";
import { findPlaceIssues } from "@openemr-ops/core/config/places";
import type { Config, Installation } from "@openemr-ops/core/config/settings";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { realPlace } from "@openemr-ops/files/directory";

/**
 * Where the sites tree of an installation really is. The real paths of directories that must be outside
 * it are resolved too, before any file is written.
 *
 * @throws {InvalidInputError} fatal: the state, a destination or the drills lie inside
 */
export const realSites = async (config: Config, installation: Installation): Promise<string> => {
  const path = await realPlace(installation.sites.path);
  const { dumps } = installation;
  const real: Installation = {
    ...installation,
    sites: { ...installation.sites, path },
    ...(dumps
      ? {
          dumps: {
            ...dumps,
            drill: { ...dumps.drill, directory: await realPlace(dumps.drill.directory ?? tmpdir()) },
            ...(dumps.destination.kind === "file"
              ? { destination: { ...dumps.destination, directory: await realPlace(dumps.destination.directory) } }
              : {}),
          },
        }
      : {}),
  };
  const issues = findPlaceIssues({
    ...config,
    stateDirectory: await realPlace(config.stateDirectory),
    installations: config.installations.map((each) => (each.id === installation.id ? real : each)),
  });
  if (issues.length > 0) throw new InvalidInputError(issues);
  return path;
};
