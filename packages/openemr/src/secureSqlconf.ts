import { join } from "node:path";
import { SqlconfError } from "@openemr-ops/core/errors";
import { phpAssignments } from "./phpAssignments.ts";
import { readIfPresent } from "./siteFiles.ts";

/**
 * The second database user of a site, which `secure_sqlconf.php` names: older releases read the tables of passwords as that user.
 * Newer ones only write a warning.
 *
 * @returns nothing where there is no such file
 * @throws {SqlconfError} fatal: the file cannot be read without running it, or names no user; never shows a value
 * @throws {SourceUnreadableError} fatal
 */
export const secureUser = async (sitesPath: string, site: string): Promise<string | undefined> => {
  const name = `${site}/secure_sqlconf.php`;
  const content = await readIfPresent(join(sitesPath, name), name);
  if (!content) return undefined;
  const user = userIn(content, name);
  if (user?.kind === "scalar" && typeof user.value === "string" && user.value !== "")
    return Buffer.from(user.value, "latin1").toString();
  throw new SqlconfError(`${name}: $secure_login is not set to a text; write it between single quotes`);
};

const userIn = (content: Buffer, name: string) => {
  try {
    return phpAssignments(content.toString("latin1")).get("secure_login");
  } catch (error) {
    if (!(error instanceof SqlconfError)) throw error;
    throw new SqlconfError(`${name}: ${error.message}`, { cause: error });
  }
};
