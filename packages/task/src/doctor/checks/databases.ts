import {
  DatabaseAccessDeniedError,
  DatabaseMissingError,
  OpsError,
  TargetUnsuitableError,
} from "@openemr-ops/core/errors";
import { formatBytes } from "@openemr-ops/core/format";
import { connect, connectReadOnly, type DatabaseConnection } from "@openemr-ops/database/connection";
import { effectiveGrants } from "@openemr-ops/database/grants";
import { accountOf } from "@openemr-ops/database/replaceable";
import { serverKind } from "@openemr-ops/database/users/account";
import {
  type NeededRight,
  rightsToDrill,
  rightsToDump,
  rightsToRestore,
} from "@openemr-ops/database/users/neededRights";
import { assertWritable } from "@openemr-ops/database/writable";
import { scratchNameOf } from "@openemr-ops/dumps/steps/drillServer";
import { earlierDumps } from "@openemr-ops/dumps/steps/earlierDumps";
import { dumpContext } from "../../programs/dumpContext.ts";
import type { Check } from "../check.ts";
import { type Examined, parentOf } from "../examined.ts";
import { ok, problem, type Sight, warning } from "../finding.ts";
import { accessFor, type Login, loggedIn, loginId, loginsOf } from "./logins.ts";

/** Seconds by which the database server's clock may differ. */
const mostSkew = 60;

/** Rights of which a dump reports the absence, and works without. */
const optionalRights: ReadonlySet<string> = new Set(["TRIGGER", "EVENT"]);

/** What the difference between the clocks means. */
export const clockSight = async (
  connection: Pick<DatabaseConnection, "rows">,
  now: () => Date,
  field: string,
): Promise<readonly Sight[]> => {
  const before = now().getTime();
  const [row] = await connection.rows("SELECT UTC_TIMESTAMP(3) AS t");
  const middle = (before + now().getTime()) / 2;
  const seconds = Math.round((Date.parse(`${row?.t?.replace(" ", "T")}Z`) - middle) / 1000);
  const next = "synchronize both clocks with NTP";
  if (Number.isNaN(seconds)) return [warning("the server's clock could not be read", next, field)];
  if (Math.abs(seconds) <= mostSkew) return [];
  return [warning(`the server's clock and this machine's differ by ${Math.abs(seconds)} s`, next, field)];
};

const grantStep = async (connection: DatabaseConnection, rights: readonly string[], on: string): Promise<string> =>
  `as an administrator run: GRANT ${rights.join(", ")} ON ${on} TO ${await accountOf(connection)}`;

/** @param optional rights that its jobs work without */
const rightsSights = async (
  connection: DatabaseConnection,
  needed: readonly NeededRight[],
  optional: (right: NeededRight) => boolean = () => false,
): Promise<readonly Sight[]> => {
  const grants = await effectiveGrants(connection);
  const sights: Sight[] = [];
  for (const right of needed) {
    const lacking = right.lacking(grants).filter((one) => !optionalRights.has(one));
    if (lacking.length === 0 || right.otherwise !== undefined) continue;
    const seen = `the user lacks ${lacking.join(", ")} on ${right.on}`;
    const next = await grantStep(connection, lacking, right.on);
    sights.push(optional(right) ? warning(`${seen}: no restore in place`, next) : problem(seen, next));
  }
  return sights.length > 0 ? sights : [ok("it has the rights that its jobs need")];
};

/** Enters the schema, and measures it. */
const schemaCheck = (examined: Examined, login: Login): Check => {
  const { place, at } = examined;
  const { name } = place.installation.database;
  const field = `${at}.database.name`;
  return {
    name: "dump-schema",
    field,
    after: loggedIn(login),
    look: async (signal) => {
      await using connection = await connectReadOnly(accessFor(examined, login, signal, name));
      const [row] = await connection.rows(
        "SELECT COUNT(*) AS tables, COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?",
        [name],
      );
      const bytes = Number(row?.bytes ?? 0);
      examined.databaseBytes = bytes;
      return [
        ok(`schema ${name} has ${row?.tables} tables, about ${formatBytes(bytes)}`),
        ...(await clockSight(connection, place.now, `${login.hostField}.host`)),
      ];
    },
    explain: (error) =>
      error instanceof DatabaseAccessDeniedError || error instanceof DatabaseMissingError
        ? { next: `correct the schema's name; if it is right, grant ${login.user.user} the rights of dumps on it` }
        : undefined,
  };
};

const isOwnUser = ({ place: { installation } }: Examined): boolean =>
  installation.database.restore.password.field !== installation.database.password.field;

const restoreRights = (examined: Examined, login: Login): Check => {
  const { place, at } = examined;
  const { name } = place.installation.database;
  const server = `${at}.database.restore.host`;
  return {
    name: "restore-rights",
    field: isOwnUser(examined) ? userField(login) : `${at}.database.restore`,
    after: [...loggedIn(login), "dump-schema"],
    look: async (signal) => {
      const access = accessFor(examined, login, signal);
      await using connection = await connect(access);
      await assertWritable(connection, access, server);
      const needed = rightsToRestore(name, await serverKind(connection));
      const sights = await rightsSights(connection, needed, ({ on }) => !on.endsWith("%`.*"));
      if (isOwnUser(examined) || sights.every(({ status }) => status === "ok")) return sights;
      return warning(
        "no user for restores is set, and the one that takes dumps may make no schema",
        `set ${at}.database.restore to a user with the rights of restores; docs/configuration.md has the statements`,
      );
    },
    explain: (error) => (error instanceof TargetUnsuitableError ? { field: server } : undefined),
  };
};

const userField = ({ user }: Login): string => `${parentOf(user.password.field)}.user`;

/** Whether the server takes the longest row of the newest dump, and lets the user make what the schema has. */
const limitsCheck = (examined: Examined, login: Login): Check => ({
  name: "restore-limits",
  id: `restore-limits ${loginId(login)}`,
  field: `${login.hostField}.host`,
  after: loggedIn(login),
  look: async (signal) => {
    await using connection = await connect(accessFor(examined, login, signal));
    const [row] = await connection.rows("SELECT @@max_allowed_packet AS packet");
    const packet = Number(row?.packet ?? 0);
    const longest = await longestRow(examined);
    if (packet <= longest)
      return problem(
        `the server accepts statements up to ${formatBytes(packet)}, and the newest dump has a row of ${formatBytes(longest)}`,
        `set max_allowed_packet of the server to ${2 ** Math.ceil(Math.log2(longest + 1))} or more`,
      );
    if (packet < leastPacket)
      return warning(
        `the server accepts statements up to ${formatBytes(packet)}: a document in a row may be longer`,
        "set max_allowed_packet of the server to 64M or more",
      );
    return ok(`the server accepts statements up to ${formatBytes(packet)}`);
  },
});

/** MariaDB's own default. Bytes. */
const leastPacket = 16 * 1024 * 1024;

/** Bytes of the longest statement of the newest dump; 0 where none can be read, of which another check says why. */
const longestRow = async ({ place }: Examined): Promise<number> => {
  if (!place.installation.dumps) return 0;
  try {
    const { newest } = await earlierDumps(await dumpContext(place));
    return newest?.database.largestStatement ?? 0;
  } catch (error) {
    if (error instanceof OpsError) return 0;
    throw error;
  }
};

const drillRights = (examined: Examined, login: Login): Check => {
  const { place, at } = examined;
  const { id, database } = place.installation;
  const server = `${at}.dumps.drill.database.host`;
  return {
    name: "drill-rights",
    field: login.name === "drill-login" || isOwnUser(examined) ? userField(login) : `${at}.dumps.drill.database`,
    after: [...loggedIn(login), "dump-schema", ...(login.name === "restore-login" ? ["restore-rights"] : [])],
    look: async (signal) => {
      const access = accessFor(examined, login, signal);
      await using connection = await connect(access);
      await assertWritable(connection, access, server);
      const { name } = database;
      return await rightsSights(connection, rightsToDrill(name, await serverKind(connection), scratchNameOf(id, name)));
    },
    explain: (error) => (error instanceof TargetUnsuitableError ? { field: server } : undefined),
  };
};

/** What each user of the configuration may do on its server, and what that server takes. */
export const databaseChecks = (examined: Examined): readonly Check[] => {
  const { place } = examined;
  const { database, dumps } = place.installation;
  const logins = loginsOf(examined);
  const [dump, restore] = logins as readonly [Login, Login, ...Login[]];
  const drill = logins.find(({ name }) => name === "drill-login");
  const schema = schemaCheck(examined, dump);
  return [
    schema,
    {
      name: "dump-rights",
      field: userField(dump),
      after: [...loggedIn(dump), schema.name],
      look: async (signal) => {
        await using connection = await connect(accessFor(examined, dump, signal));
        return await rightsSights(connection, rightsToDump(database.name, await serverKind(connection)));
      },
    },
    restoreRights(examined, restore),
    limitsCheck(examined, restore),
    ...(dumps && dumps.drill.database !== "own" ? [drillRights(examined, drill ?? restore)] : []),
    ...(drill && drill.hostField !== restore.hostField ? [limitsCheck(examined, drill)] : []),
  ];
};
