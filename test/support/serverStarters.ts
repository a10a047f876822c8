import type { DatabaseServer, ServerSettings } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { startMySql } from "@openemr-ops/local/servers/mysql";
import { mariaDb118OfDebian, mysqlOfDebian } from "@openemr-ops/local/tools/otherServers";

/** By a project's name. The other servers take connections with TLS alone, as managed ones are set up. */
const starters: Readonly<Record<string, (settings: ServerSettings) => Promise<DatabaseServer>>> = {
  [mariaDb118OfDebian.name]: (settings) => startMariaDb({ ...settings, release: "11.8", tls: true }),
  [mysqlOfDebian.name]: (settings) =>
    startMySql({ ...settings, tls: true, extraArguments: ["--log-bin-trust-function-creators=ON"] }),
};

/** A server like the one that all tests of a project share: for who changes what holds for all users of a server. */
export const startServerOf = (project: string, settings: ServerSettings): Promise<DatabaseServer> =>
  (starters[project] ?? startMariaDb)(settings);
