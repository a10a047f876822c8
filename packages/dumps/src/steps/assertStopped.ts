import { setTimeout as sleep } from "node:timers/promises";
import { ServiceRunningError } from "@openemr-ops/core/errors";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import type { Sqlconf } from "@openemr-ops/openemr/sqlconf";
import type { DumpContext } from "../context.ts";

const looks = 4;
const pauseMilliseconds = 500;
const howToStop = "stop OpenEMR first (systemctl stop apache2, docker compose stop openemr, or a desired count of 0)";

const assertNoSession = async (connection: DatabaseConnection, schema: string): Promise<void> => {
  const [row] = await connection.rows(
    "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()",
    [schema],
  );
  if (Number(row?.n) > 0)
    throw new ServiceRunningError(
      `${row?.n} sessions are open in schema ${schema}: ${howToStop}; SHOW PROCESSLIST tells whose they are`,
    );
};

/**
 * Makes sure that OpenEMR does not run: its address does not answer, and no session of others is in its schema. Sessions
 * of OpenEMR last as long as a request, so we look several times.
 *
 * @param login what OpenEMR connects with: without the right PROCESS a user sees his own sessions only, so we look as that
 *   user too, where its password still lets us in
 * @throws {ServiceRunningError} refused: says what still runs and how to stop it
 */
export const assertStopped = async (
  context: DumpContext,
  login: Pick<Sqlconf, "login" | "pass"> | undefined,
): Promise<void> => {
  if (context.url) {
    const answered = await fetch(context.url, { redirect: "manual", signal: AbortSignal.timeout(5000) }).then(
      (response) => response.status < 502,
      () => false,
    );
    if (answered) throw new ServiceRunningError(`OpenEMR still answers at ${context.url}: ${howToStop}`);
  }
  const elsewhere = "information_schema";
  await using own = await connect(context.restoreDatabase, elsewhere);
  await using application = login
    ? await connect({ ...context.restoreDatabase, user: login.login, password: login.pass }, elsewhere).catch(
        () => undefined,
      )
    : undefined;
  for (let look = 0; look < looks; look++) {
    if (look > 0) await sleep(pauseMilliseconds);
    for (const connection of [own, application]) {
      if (connection) await assertNoSession(connection, context.database.name);
    }
  }
};
