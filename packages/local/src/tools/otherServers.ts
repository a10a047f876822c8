import type { DebianPackages } from "./debianPackages.ts";

/** Oracle's MySQL, which no stable Debian carries: whichever release unstable has. */
export const mysqlOfDebian: DebianPackages = {
  name: "MySQL",
  suite: "sid",
  packages: ["mysql-server-core", "mysql-client-core"],
  programs: ["usr/sbin/mysqld", "usr/bin/mysql", "usr/bin/mysqldump"],
};

/** The MariaDB that follows the system's 10.11, with its clients. */
export const mariaDb118OfDebian: DebianPackages = {
  name: "MariaDB 11.8",
  suite: "trixie",
  packages: ["mariadb-server-core", "mariadb-client"],
  programs: [
    "usr/sbin/mariadbd",
    "usr/bin/my_print_defaults",
    "usr/bin/resolveip",
    "usr/bin/mariadb",
    "usr/bin/mariadb-dump",
  ],
};

/** Servers that the tests want beside the system's; what cannot be had, a run of the tests reports at its end. */
export const otherServers: readonly DebianPackages[] = [mysqlOfDebian, mariaDb118OfDebian];
