import { existsSync } from "node:fs";
import { type DebianPackages, debianPlace } from "../../packages/local/src/tools/debianPackages.ts";
import { otherServers } from "../../packages/local/src/tools/otherServers.ts";

const isHere = (packages: DebianPackages): boolean => existsSync(debianPlace(packages));

/** Servers that the tests run on besides the system's MariaDB. */
export const serversHere = (): readonly DebianPackages[] => otherServers.filter(isHere);

/** Servers that could not be had: nothing is tested with them. */
export const serversMissing = (): readonly DebianPackages[] => otherServers.filter((packages) => !isHere(packages));
