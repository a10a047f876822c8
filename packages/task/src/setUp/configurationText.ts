import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { FoundOpenEmr } from "./findOpenEmr.ts";
import type { SetUpRequest } from "./request.ts";

/** Users of the database, by what they do. */
export const databaseUserRoles = ["dump", "restore", "drill"] as const;
export type DatabaseUserRole = (typeof databaseUserRoles)[number];

/** Every password that setting up a machine makes. Relative to the configuration. */
export const passwordFileOf = (role: DatabaseUserRole | "repository"): string => `secrets/${role}.password`;

/** MySQL takes 32 characters; what could be more than a name is out. */
export const databaseUserOf = (role: DatabaseUserRole, schema: string): string =>
  `${schema.replace(/[^A-Za-z0-9_]/g, "_").slice(0, 24)}_${role}`;

/** A place's URL: a path alone is a directory. */
export const destinationUrl = (destination: string): string =>
  destination.startsWith("/") ? pathToFileURL(destination).href : destination;

export const drillDirectoryOf = ({ state }: Pick<SetUpRequest, "state">): string => join(state, "drills");

/** The configuration of a machine, as a person would write it. */
export const configurationOf = (request: SetUpRequest, { sitesPath, database }: FoundOpenEmr) => {
  const login = (role: DatabaseUserRole) => ({
    user: databaseUserOf(role, database.name),
    passwordFile: passwordFileOf(role),
  });
  const { host, port, name, tls, caFile } = database;
  return {
    stateDirectory: request.state,
    installations: [
      {
        id: request.installation,
        platform: { kind: "host" },
        database: { host, port, name, ...login("dump"), tls, ...(caFile ? { caFile } : {}), restore: login("restore") },
        sites: { path: sitesPath },
        dumps: {
          format: "restic",
          destination: destinationUrl(request.destination),
          passwordFile: passwordFileOf("repository"),
          retention: { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 7 },
          drill: { database: login("drill"), directory: drillDirectoryOf(request) },
        },
      },
    ],
  };
};
