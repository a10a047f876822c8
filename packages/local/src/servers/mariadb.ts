import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import { debianPlace, findUnpacked } from "../tools/debianPackages.ts";
import { findTool } from "../tools/findTool.ts";
import { mariaDb118OfDebian } from "../tools/otherServers.ts";
import { asRoot, type DatabaseServer, type ServerSettings, startDatabaseServer } from "./databaseServer.ts";

export type MariaDb = DatabaseServer;
/** `system`: the one of `$PATH`, 10.11 on Debian 12. */
export type MariaDbRelease = "system" | "11.8";

const program = (release: MariaDbRelease, name: string): string => {
  const path = release === "system" ? findTool(name) : findUnpacked(mariaDb118OfDebian, name);
  if (path !== undefined) return path;
  const purpose = release === "system" ? "demo" : "test";
  const what = release === "system" ? name : `${name} ${release}`;
  throw new ToolMissingError(`${what} is not installed; run "npm run tools -- --for ${purpose}"`);
};

/** Where a release that is not the system's finds its messages and scripts. */
const basedir = (release: MariaDbRelease): readonly string[] =>
  release === "system" ? [] : [`--basedir=${join(debianPlace(mariaDb118OfDebian), "usr")}`];

const makeDataDirectory = (release: MariaDbRelease, datadir: string): void => {
  if (existsSync(join(datadir, "mysql"))) return;
  const { status, error, stdout, stderr } = spawnSync(
    program(release, "mariadb-install-db"),
    [
      "--no-defaults",
      ...basedir(release),
      `--datadir=${datadir}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
      // Else it looks up this machine's name, which a container or a busy resolver may not know, and as root gives a file
      // of the system's own server, for logins by PAM, to another user.
      "--rpm",
      "--innodb-log-file-size=32M",
      "--innodb-use-native-aio=0", // the machine has few slots for it, and many servers may run
      ...asRoot(),
    ],
    // Two of them at once would remove each other's temporary tables.
    { encoding: "utf8", env: { ...process.env, TMPDIR: dirname(datadir) } },
  );
  if (status !== 0) throw new ToolFailedError(`mariadb-install-db failed: ${error?.message ?? `${stdout}${stderr}`}`);
};

/**
 * Starts a MariaDB server of our own.
 *
 * @throws {ToolMissingError} refused: this MariaDB is not here
 * @throws {ToolFailedError} fatal: the server did not start; the message ends with its log
 */
export const startMariaDb = ({
  release = "system",
  ...settings
}: ServerSettings & { readonly release?: MariaDbRelease }): Promise<MariaDb> =>
  startDatabaseServer(
    {
      product: "MariaDB",
      command: program(release, "mariadbd"),
      makeDataDirectory: (datadir) => makeDataDirectory(release, datadir),
      arguments: [...basedir(release), "--innodb-log-file-size=32M"],
    },
    settings,
  );
