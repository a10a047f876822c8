import { connectReadOnly } from "@openemr-ops/database/connection";
import type { DatabaseRotation } from "./databaseRotation.ts";
import { decide, lookAround } from "./lookAround.ts";
import { otherSlot, type Slot } from "./slots.ts";

/** What a rotation would do. */
export interface DatabaseRotationPlan {
  readonly dryRun: true;
  /** The slot and the user that would be live. */
  readonly activeSlot: Slot;
  readonly user: string;
  /** Users that sites name now. */
  readonly replaces: readonly string[];
  /** The user that would get a new password at the end. */
  readonly retires: string;
  readonly sites: readonly string[];
  /** Sites with a user or a server of their own, which would be left alone. */
  readonly others: readonly string[];
  /** A run that was stopped would be continued. */
  readonly continues: boolean;
}

/**
 * Shows what `rotateDatabase` would do; changes nothing, and needs no right to change anything.
 *
 * @throws as `switchUser` does before its first change
 */
export const planDatabaseRotation = async (r: DatabaseRotation): Promise<DatabaseRotationPlan> => {
  const around = await lookAround(r);
  await using admin = await connectReadOnly({ ...r.administrator, signal: r.signal }, "information_schema");
  const { plan, target, continues } = await decide(r, around, admin, () => "");
  return {
    dryRun: true,
    activeSlot: target,
    user: plan[target].username,
    replaces: [...new Set(around.sites.map(({ access }) => access.user))],
    retires: plan[otherSlot(target)].username,
    sites: around.sites.map(({ site }) => site),
    others: around.others,
    continues,
  };
};
