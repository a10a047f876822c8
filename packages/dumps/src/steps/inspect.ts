import { join } from "node:path";
import { SourceUnreadableError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { isSameSchema } from "@openemr-ops/database/ownSchema";
import { checkDocuments, countInCouchDb } from "@openemr-ops/openemr/documents";
import { type KeyProof, proveKeys } from "@openemr-ops/openemr/keyProof";
import { readIfPresent } from "@openemr-ops/openemr/siteFiles";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import { parseSqlconf, type Sqlconf } from "@openemr-ops/openemr/sqlconf";
import { namesOfNoTable } from "@openemr-ops/openemr/sqlReader";
import type { SourceWarning } from "../manifest.ts";

/** How many rows of `documents` have no usable file. Counts only: identifiers stay where they are. */
export interface DocumentCounts {
  readonly rows: number;
  readonly missing: number;
  readonly empty: number;
  readonly notEncrypted: number;
}

/** What OpenEMR itself would stumble over, in the live system or in a restored copy. */
export interface Inspection {
  readonly keyProof: KeyProof;
  readonly documents: Readonly<Record<string, DocumentCounts>>;
  /** Documents whose content is in CouchDB, and so in no dump. */
  readonly inCouchDb: number;
  /** Where OpenEMR has a table and something else is, usually a view. It was not looked into. */
  readonly noTables: readonly string[];
}

const readSqlconf = async (sitesPath: string, site: string): Promise<Buffer> => {
  const name = join(site, "sqlconf.php");
  return (await readIfPresent(join(sitesPath, name), name)) ?? Buffer.alloc(0);
};

/** Code of the warning that a site of the tree keeps its rows in another schema. */
export const otherDatabase = "site-in-another-database";

/**
 * Which sites keep their rows in this schema. A site whose `sqlconf.php` names another schema is not covered by the dump
 * and is said to be so; one that cannot be read is taken as covered. The server is asked only where names differ in case.
 */
export const sitesOfDatabase = async (
  sitesPath: string,
  database: DatabaseAccess,
): Promise<{ readonly sites: readonly string[]; readonly warnings: readonly SourceWarning[] }> => {
  const sites: string[] = [];
  const warnings: SourceWarning[] = [];
  for (const site of await listSites(sitesPath)) {
    let conf: Sqlconf | undefined;
    try {
      conf = parseSqlconf(await readSqlconf(sitesPath, site));
    } catch (error) {
      warnings.push({
        code: "sqlconf-unreadable",
        message:
          error instanceof SourceUnreadableError
            ? error.message
            : `sqlconf.php of site ${site} is not in a form that can be read without running it`,
      });
    }
    if (conf && !(await isSameSchema(database, conf.dbase, database.name))) {
      warnings.push({
        code: otherDatabase,
        message: `site ${site} keeps its rows in schema ${conf.dbase}, which this dump does not hold: give it an installation of its own`,
      });
      continue;
    }
    if (conf && !conf.configured)
      warnings.push({
        code: "site-not-configured",
        message: `site ${site} is marked as not installed ($config is not 1)`,
      });
    sites.push(site);
  }
  return { sites, warnings };
};

/**
 * Proves keys and checks documents of the given sites; reads only, and base tables only.
 *
 * @param database read only
 */
export const inspect = async (
  sitesPath: string,
  sites: readonly string[],
  database: DatabaseConnection,
): Promise<Inspection> => {
  const keyProof = await proveKeys({ sitesPath, database, sites: [...sites] });
  const documents: Record<string, DocumentCounts> = {};
  for (const site of sites) {
    const { rows, missing, empty, notEncrypted } = await checkDocuments({ sitesPath, database, site });
    documents[site] = { rows, missing: missing.count, empty: empty.count, notEncrypted: notEncrypted.count };
  }
  return { keyProof, documents, inCouchDb: await countInCouchDb(database), noTables: await namesOfNoTable(database) };
};
