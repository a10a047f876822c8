import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import { debianPlace, findUnpacked } from "../tools/debianPackages.ts";
import { mysqlOfDebian } from "../tools/otherServers.ts";
import { asRoot, type DatabaseServer, type ServerSettings, startDatabaseServer } from "./databaseServer.ts";

/** Where the unpacked server finds its own files; it looks for the system's otherwise. */
const places = (): readonly string[] => {
  const usr = join(debianPlace(mysqlOfDebian), "usr");
  return [
    `--basedir=${usr}`,
    `--lc-messages-dir=${usr}/share/mysql`,
    `--character-sets-dir=${usr}/share/mysql/charsets`,
    `--plugin-dir=${usr}/lib/mysql/plugin`,
    "--secure-file-priv=NULL",
  ];
};

/**
 * Starts a MySQL server of our own, whichever release Debian's unstable distribution had. It writes a binary log as MySQL
 * does by default, so who makes a function or a trigger needs `log_bin_trust_function_creators` or more rights.
 *
 * @throws {ToolMissingError} refused: MySQL is not here
 * @throws {ToolFailedError} fatal: the server did not start; the message ends with its log
 */
export const startMySql = (settings: ServerSettings): Promise<DatabaseServer> => {
  const command = findUnpacked(mysqlOfDebian, "mysqld");
  if (command === undefined) throw new ToolMissingError('MySQL is not in .tools; run "npm run tools -- --for test"');
  return startDatabaseServer(
    {
      product: "MySQL",
      command,
      makeDataDirectory: (datadir) => {
        if (existsSync(join(datadir, "mysql"))) return;
        const { status, error, stderr } = spawnSync(
          command,
          [
            "--no-defaults",
            "--initialize-insecure",
            ...asRoot(),
            ...places(),
            `--datadir=${datadir}`,
            "--innodb-use-native-aio=0",
          ],
          { encoding: "utf8" },
        );
        if (status !== 0) throw new ToolFailedError(`mysqld --initialize-insecure failed: ${error?.message ?? stderr}`);
      },
      arguments: [...places(), "--innodb-redo-log-capacity=64M", "--mysqlx=OFF"],
    },
    settings,
  );
};
