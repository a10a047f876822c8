import { decideNow } from "./decideNow.ts";
import type { ReadyDecision } from "./decideSmtp.ts";
import { undo } from "./goBack.ts";
import type { SmtpRotation } from "./smtpRotation.ts";

/** Clears away what a stopped run left, and decides what is to be done. */
export const prepareSmtp = async (r: SmtpRotation): Promise<ReadyDecision> => {
  for (;;) {
    r.signal.throwIfAborted();
    const decision = await decideNow(r);
    if (decision.next === "clean") {
      for (const id of decision.orphans) {
        r.warn(`the access key ${id}, which a stopped rotation made and nobody used, is deleted`);
        await r.accessKeys.remove(id);
      }
    } else if (decision.next === "goBack") {
      r.warn(
        `the new access key ${decision.change.accessKeyId} of a stopped rotation cannot be used, and another one is made`,
      );
      await undo(r, decision.change, decision.sites);
    } else {
      for (const warning of decision.warnings) r.warn(warning);
      return decision;
    }
  }
};
