import { RotationRefusedError } from "@openemr-ops/core/errors";
import { decideNow } from "./decideNow.ts";
import type { ReadyDecision } from "./decideSmtp.ts";
import { undo } from "./goBack.ts";
import type { SmtpRotation } from "./smtpRotation.ts";

/** IAM lists a deleted key some seconds longer. */
const mostLooks = 12;
const secondsBetween = 5;

/**
 * Clears away what a stopped run left, and decides what is to be done.
 *
 * @throws {RotationRefusedError} refused: what was cleared away is still there after a minute
 */
export const prepareSmtp = async (r: SmtpRotation): Promise<ReadyDecision> => {
  for (let look = 1; ; look++) {
    r.signal.throwIfAborted();
    const decision = await decideNow(r);
    if (decision.next !== "clean" && decision.next !== "goBack") {
      for (const warning of decision.warnings) r.warn(warning);
      return decision;
    }
    const ids = decision.next === "clean" ? decision.orphans : [decision.change.accessKeyId];
    if (look > mostLooks)
      throw new RotationRefusedError(
        `the access key ${ids.join(", ")} of a stopped rotation was deleted, and is still there; look who makes or keeps it, then start the rotation again`,
      );
    if (look > 1) await r.wait(secondsBetween, r.signal);
    else for (const id of ids) r.warn(`the access key ${id} of a stopped rotation is in use nowhere, and is deleted`);
    if (decision.next === "goBack") await undo(r, decision.change, decision.sites);
    else for (const id of ids) await r.accessKeys.remove(id);
  }
};
