import { toOpsError } from "@openemr-ops/core/errors";
import type { DatabaseRotation } from "./databaseRotation.ts";
import { retireUser } from "./retireUser.ts";
import { rollBackUser } from "./rollBackUser.ts";
import { type SwitchedUser, switchUser } from "./switchUser.ts";

export type { DatabaseRotation } from "./databaseRotation.ts";
export { type DatabaseRotationPlan, planDatabaseRotation } from "./planDatabaseRotation.ts";
export { type RetiredUser, retireUser } from "./retireUser.ts";
export { type RolledBackUser, rollBackUser } from "./rollBackUser.ts";
export { type SwitchedUser, switchUser } from "./switchUser.ts";

/** A rotation from its start to its end. */
export interface RotatedDatabase extends SwitchedUser {
  /** The user whose former password the server refuses now. */
  readonly retired: string | null;
  readonly seconds: number;
}

/** Goes back, whatever stopped the run. The failure that led here keeps its name; one of the way back is a warning. */
const goBack = async (r: DatabaseRotation): Promise<void> => {
  try {
    const { user, sites } = await rollBackUser({ ...r, signal: new AbortController().signal });
    if (sites.length > 0) r.warn(`rolled back: ${sites.join(", ")} name the user ${user} again`);
  } catch (error) {
    const { name, message } = toOpsError(error);
    r.warn(
      `the roll-back failed (${name}: ${message}); what sqlconf.php names now still logs in. Start the rotation again`,
    );
  }
};

/**
 * Rotates the user with which OpenEMR logs in to its database: switch, redeployment, health, retirement. Every run changes which
 * user is live, and at each moment what `sqlconf.php` names logs in. A failure before the retirement goes back to the user
 * before; one in the retirement does not, for OpenEMR works with the new user. Started again, it continues.
 *
 * @param redeploy replaces what may still hold the former user, such as tasks or a web server's workers
 * @throws as `switchUser` and `retireUser`, and what `redeploy` throws
 */
export const rotateDatabase = async (r: DatabaseRotation, redeploy: () => Promise<void>): Promise<RotatedDatabase> => {
  const began = r.now().getTime();
  let switched: SwitchedUser;
  try {
    switched = await switchUser(r);
    r.progress({ step: "redeploy" });
    await redeploy();
    r.progress({ step: "health" });
    await r.health(r.signal);
  } catch (error) {
    await goBack(r);
    throw error;
  }
  const { retired } = await retireUser(r);
  return { ...switched, retired, seconds: (r.now().getTime() - began) / 1000 };
};
