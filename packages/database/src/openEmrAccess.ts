import { join } from "node:path";
import { SqlconfError } from "@openemr-ops/core/errors";
import { readIfPresent, readStart } from "@openemr-ops/openemr/siteFiles";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import type { DatabaseAccess } from "./access.ts";

/** How OpenEMR itself reaches the database of one site. */
export interface OpenEmrAccess {
  /** Whether `sqlconf.php` says that OpenEMR is set up. */
  readonly configured: boolean;
  /** It shows a certificate of its own, which we do not: another login may be refused. */
  readonly showsCertificate: boolean;
  readonly access: DatabaseAccess;
}

/**
 * Reads a site's `sqlconf.php`, and from the files beside it whether the connection is encrypted: `mysql-ca` alone turns TLS
 * on. The server's name is not compared, as in OpenEMR.
 *
 * @throws {SqlconfError} fatal: there is none, or its values are computed; never shows a value
 * @throws {SourceUnreadableError} fatal
 */
export const openEmrAccess = async (sitesPath: string, site: string): Promise<OpenEmrAccess> => {
  const name = `${site}/sqlconf.php`;
  const content = await readIfPresent(join(sitesPath, name), name);
  if (!content) throw new SqlconfError(`${name} does not exist`);
  const { host, port, dbase, login, pass, configured } = parseSqlconf(content);
  const has = async (file: string) => {
    const path = `${site}/documents/certificates/${file}`;
    return (await readStart(join(sitesPath, path), path, 1)) !== undefined;
  };
  const encrypted = await has("mysql-ca");
  return {
    configured,
    showsCertificate: encrypted && (await has("mysql-cert")),
    access: {
      host,
      port,
      name: dbase,
      user: login,
      password: async () => pass,
      tls: encrypted ? "required" : "off",
    },
  };
};
