import { DatabaseAccessDeniedError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "./connection.ts";
import { effectiveGrants, rightsOn } from "./grants.ts";
import { quoteName } from "./identifiers.ts";
import type { LoadableDump } from "./loadableDump.ts";
import type { ProgramSection } from "./sqlScanner.ts";

/** What moving tables into a schema and out of it takes. */
const forTables = ["SELECT", "INSERT", "CREATE", "DROP", "ALTER"];
/** What making programs in the live schema takes, and removing those that are there. */
const forPrograms: Readonly<Record<ProgramSection, readonly string[]>> = {
  routines: ["CREATE ROUTINE", "ALTER ROUTINE"],
  triggers: ["TRIGGER"],
  views: ["CREATE VIEW", "SHOW VIEW"],
  events: ["EVENT"],
};

/** The user as GRANT names it. */
export const accountOf = async (connection: DatabaseConnection): Promise<string> => {
  const [row] = await connection.rows("SELECT CURRENT_USER() AS account");
  const account = row?.account ?? "";
  const at = account.lastIndexOf("@");
  return `${quoteName(account.slice(0, at))}@${quoteName(account.slice(at + 1))}`;
};

/** `_` and `%` of a name stand for themselves. */
const grantName = (name: string, literal: boolean): string =>
  quoteName(literal ? name : name.replaceAll(/[_%]/g, "\\$&"));

/** A setting that servers of one product or release do not have is undefined. */
const setting = async (connection: DatabaseConnection, name: string): Promise<string | undefined> =>
  (await connection.rows("SHOW VARIABLES WHERE Variable_name = ?", [name]))[0]?.Value ?? undefined;

const routineKinds = ["FUNCTION", "PROCEDURE"];

/** No server stores a comment of so many bytes. */
const unstorable = "x".repeat(70_000);

/**
 * Tries whether our user may replace the routines and events of the live schema, by statements that change nothing: MySQL
 * asks for the right first, and then refuses the comment for its length. What a user with SYSTEM_USER made, only such a
 * user may replace. (Views are taken over by CREATE OR REPLACE VIEW, and triggers are not protected: neither needs it.)
 *
 * @returns what may not be replaced, as people name it
 */
const protectedPrograms = async (
  control: DatabaseConnection,
  schema: string,
  sections: ReadonlySet<ProgramSection>,
): Promise<readonly string[]> => {
  const found: string[] = [];
  const attempt = async (what: string, statement: string): Promise<void> => {
    try {
      await control.run(statement);
    } catch (error) {
      if ((error as { readonly cause?: { readonly errno?: number } }).cause?.errno === 1227) found.push(what);
    }
  };
  if (sections.has("routines"))
    for (const { name, kind } of await control.rows(
      "SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS kind FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?",
      [schema],
    ))
      if (routineKinds.includes(kind ?? ""))
        await attempt(
          `${kind?.toLowerCase()} ${name}`,
          `ALTER ${kind} ${quoteName(schema)}.${quoteName(name ?? "")} COMMENT '${unstorable}'`,
        );
  if (sections.has("events"))
    for (const { name } of await control.rows(
      "SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?",
      [schema],
    ))
      await attempt(
        `event ${name}`,
        `ALTER EVENT ${quoteName(schema)}.${quoteName(name ?? "")} COMMENT '${unstorable}'`,
      );
  return found;
};

/**
 * Makes sure that a user may replace a live schema with a dump, before anything is done: each right is asked for, and where
 * no question tells, tried without a change.
 *
 * @param schemas the live one, and those that the restore makes beside it
 * @throws {TargetUnsuitableError} refused: names what is missing, and the statement that an administrator has to run
 */
export const assertReplaceable = async (
  control: DatabaseConnection,
  { live, beside }: { readonly live: string; readonly beside: readonly string[] },
  dump: Pick<LoadableDump, "database">,
): Promise<void> => {
  const literal = (await setting(control, "partial_revokes")) === "ON";
  const grants = await effectiveGrants(control);
  const account = await accountOf(control);
  const sections = new Set(dump.database.programs.map(({ section }) => section));
  const lacking = (schema: string, wanted: readonly string[]): readonly string[] => {
    const rights = rightsOn(grants, schema, { literal });
    return rights.has("ALL PRIVILEGES") ? [] : wanted.filter((right) => !rights.has(right));
  };

  const inLive = lacking(live, [...forTables, ...[...sections].flatMap((section) => forPrograms[section])]);
  if (inLive.length > 0)
    throw new TargetUnsuitableError(
      `user ${account} lacks ${inLive.join(", ")} in schema ${live}, which a restore in place needs; nothing was changed. As an administrator run: GRANT ${inLive.join(", ")} ON ${grantName(live, literal)}.* TO ${account}`,
    );
  const without = beside.filter((schema) => lacking(schema, forTables).length > 0);
  if (without.length > 0) {
    // One of the names is new with each restore.
    const where = literal ? "*.*" : `${quoteName(`${live.slice(0, 30).replaceAll(/[_%]/g, "\\$&")}\\_%`)}.*`;
    const rights = literal ? [...forTables, "INDEX", "REFERENCES", "LOCK TABLES"].join(", ") : "ALL PRIVILEGES";
    throw new TargetUnsuitableError(
      `user ${account} may not make schema ${without.join(" and schema ")}, which a restore in place needs; nothing was changed. ${literal ? "partial_revokes is on here, so that _ and % in the name of a GRANT stand for themselves. For the time of the restore, as an administrator" : "As an administrator"} run: GRANT ${rights} ON ${where} TO ${account}`,
    );
  }

  const [server] = await control.rows("SELECT CONCAT(VERSION(), ' ', @@version_comment) AS version");
  const isMariaDb = /mariadb/i.test(server?.version ?? "");
  const held = isMariaDb ? [] : await protectedPrograms(control, live, sections);
  if (held.length > 0)
    throw new TargetUnsuitableError(
      `${held.slice(0, 5).join(", ")}${held.length > 5 ? ` and ${held.length - 5} more` : ""} in schema ${live} were made by a user with the right SYSTEM_USER, and only such a user may replace them; nothing was changed. For the time of the restore, as an administrator run: GRANT SYSTEM_USER ON *.* TO ${account}`,
    );
};

/**
 * Makes or removes a schema. Where the server denies it although the user was granted a pattern, says why.
 *
 * @throws {DatabaseAccessDeniedError} with the grant to give
 */
export const withSchemaRight = async (
  control: DatabaseConnection,
  schema: string,
  work: () => Promise<void>,
): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DatabaseAccessDeniedError)) throw error;
    const literal = (await setting(control, "partial_revokes")) === "ON";
    const why = literal
      ? ". partial_revokes is on here, so that _ and % in the name of a GRANT stand for themselves"
      : "";
    throw new DatabaseAccessDeniedError(
      `${error.message}${why}. As an administrator run: GRANT ALL PRIVILEGES ON ${grantName(schema, literal)}.* TO ${await accountOf(control)}`,
      { cause: error },
    );
  }
};

/**
 * Makes sure that our user may make functions and triggers where the server writes a binary log.
 *
 * @throws {TargetUnsuitableError} refused: names the setting
 */
export const assertMayMakePrograms = async (
  control: DatabaseConnection,
  what: "functions" | "triggers",
): Promise<void> => {
  if ((await setting(control, "log_bin")) !== "ON") return;
  if ((await setting(control, "log_bin_trust_function_creators")) === "ON") return;
  const rights = rightsOn(await effectiveGrants(control), "");
  if (rights.has("ALL PRIVILEGES") || rights.has("SUPER")) return;
  throw new TargetUnsuitableError(
    `the dump holds ${what}, and this server lets nobody without the right SUPER make any while it writes a binary log. As an administrator run: SET GLOBAL log_bin_trust_function_creators = ON; on Aurora and RDS set it in the parameter group`,
  );
};
