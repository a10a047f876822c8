import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connectReadOnly } from "@openemr-ops/database/connection";
import type { KeySet } from "@openemr-ops/openemr/crypto";
import { readKeySet } from "@openemr-ops/openemr/keys";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import { baseTable } from "@openemr-ops/openemr/sqlReader";

/**
 * The keys of each site of the tree: its own drive keys, and the database keys of this schema. A site that keeps its rows in
 * another schema has other database keys, with which nothing of it opens.
 *
 * @throws {SourceUnreadableError} fatal: a key file exists and cannot be read
 * @throws the `Database…Error` family, also where the user may not read the table `keys`
 */
export const documentKeys = async (sitesPath: string, access: DatabaseAccess): Promise<ReadonlyMap<string, KeySet>> => {
  await using database = await connectReadOnly(access);
  await database.rows(`SELECT 1 AS one FROM ${baseTable("keys")} LIMIT 1`); // who has no right sees no table
  const found = new Map<string, KeySet>();
  for (const site of await listSites(sitesPath)) found.set(site, (await readKeySet(sitesPath, site, database)).keys);
  return found;
};
