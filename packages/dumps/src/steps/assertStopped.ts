import { setTimeout as sleep } from "node:timers/promises";
import { ServiceRunningError } from "@openemr-ops/core/errors";
import type { DumpContext } from "../context.ts";
import { connect } from "../database/connection.ts";

const looks = 4;
const pauseMilliseconds = 500;

/**
 * Makes sure that OpenEMR does not run: its address does not answer, and no session of others is in its schema. Sessions
 * of OpenEMR last as long as a request, so we look several times.
 *
 * @throws {ServiceRunningError} refused: says what still runs and how to stop it
 */
export const assertStopped = async (context: DumpContext): Promise<void> => {
  const stop = "stop OpenEMR first (systemctl stop apache2, docker compose stop openemr, or a desired count of 0)";
  if (context.url) {
    const answered = await fetch(context.url, { redirect: "manual", signal: AbortSignal.timeout(5000) }).then(
      (response) => response.status < 502,
      () => false,
    );
    if (answered) throw new ServiceRunningError(`OpenEMR still answers at ${context.url}: ${stop}`);
  }
  await using control = await connect(context.restoreDatabase, "information_schema");
  for (let look = 0; look < looks; look++) {
    const [row] = await control.rows("SELECT COUNT(*) AS n FROM PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()", [
      context.database.name,
    ]);
    if (Number(row?.n) > 0)
      throw new ServiceRunningError(
        `${row?.n} sessions are open in schema ${context.database.name}: ${stop}; SHOW PROCESSLIST tells whose they are`,
      );
    await sleep(pauseMilliseconds);
  }
};
