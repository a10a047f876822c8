import { setTimeout as sleep } from "node:timers/promises";
import { ServiceRunningError } from "@openemr-ops/core/errors";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import type { Sqlconf } from "@openemr-ops/openemr/sqlconf";
import type { DumpContext } from "../context.ts";
import { assertNotServed, howToStop } from "./assertNotServed.ts";

const looks = 4;
const pauseMilliseconds = 500;

/** So long a session of ours may rest before we believe that its program is alive. The server closes a dead one's at once. */
const restSeconds = 2;
/** A statement of a program that was killed runs on; so often we look for its end, which is 30 s. */
const patientLooks = 60;

/** @returns whether nobody is there. @throws {ServiceRunningError} somebody is there who will not go by himself */
const isQuiet = async (
  connection: DatabaseConnection,
  schema: string,
  ours: ReadonlySet<string>,
  patient: boolean,
): Promise<boolean> => {
  const sessions = await connection.rows(
    "SELECT USER AS user, COMMAND AS command, TIME AS seconds FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()",
    [schema],
  );
  const ends = sessions.every(
    ({ user, command, seconds }) =>
      ours.has(user ?? "") && (command !== "Sleep" || (seconds !== null && Number(seconds) < restSeconds)),
  );
  if (sessions.length > 0 && !(ends && patient))
    throw new ServiceRunningError(
      `${sessions.length} sessions are open in schema ${schema}: ${howToStop}; SHOW PROCESSLIST tells whose they are`,
    );
  return sessions.length === 0;
};

/**
 * Makes sure that OpenEMR does not run: it is not served, and no session of others is in its schema. Sessions
 * of OpenEMR last as long as a request, so we look several times. Statements of our own users are what a killed restore
 * left: they get 30 s to end.
 *
 * @param login what OpenEMR connects with: without the right PROCESS a user sees his own sessions only, so we look as that
 *   user too, where its password still lets us in
 * @throws {ServiceRunningError} refused: says what still runs and how to stop it
 */
export const assertStopped = async (
  context: DumpContext,
  login: Pick<Sqlconf, "login" | "pass"> | undefined,
): Promise<void> => {
  await assertNotServed(context);
  const elsewhere = "information_schema";
  await using own = await connect(context.restoreDatabase, elsewhere);
  await using application = login
    ? await connect(
        { ...context.restoreDatabase, user: login.login, password: async () => login.pass },
        elsewhere,
      ).catch(() => undefined)
    : undefined;
  const ours = new Set([context.restoreDatabase.user, ...(login ? [context.database.user] : [])]);
  if (login) ours.delete(login.login);
  for (let look = 0, quiet = 0; quiet < looks; look++) {
    let seen = false;
    for (const connection of [own, application])
      if (connection && !(await isQuiet(connection, context.database.name, ours, look < patientLooks))) seen = true;
    quiet = seen ? 0 : quiet + 1;
    if (quiet < looks) await sleep(pauseMilliseconds);
  }
};
