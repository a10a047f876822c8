import { prepareSmtp } from "./prepareSmtp.ts";
import { retireAsDecided, retireSmtp } from "./retireSmtp.ts";
import type { RotatedSmtp, SmtpRotation } from "./smtpRotation.ts";
import { switchAsDecided } from "./switchSmtp.ts";

export { planSmtpRotation } from "./planSmtpRotation.ts";
export { retireSmtp } from "./retireSmtp.ts";
export { switchSmtp } from "./switchSmtp.ts";

/**
 * Rotates the SMTP login: switch, and the end of it, where no time of soaking lies between. A rotation that was under way is ended,
 * or looked at; no other one is begun then.
 *
 * @throws as `switchSmtp` and `retireSmtp`
 */
export const rotateSmtp = async (rotation: SmtpRotation): Promise<RotatedSmtp> => {
  const warned = new Set<string>(); // both parts look at the same sites
  const warn = (message: string): void => {
    if (!warned.has(message)) rotation.warn(message);
    warned.add(message);
  };
  const r = { ...rotation, warn };
  const decision = await prepareSmtp(r);
  if (decision.next === "settle") return await retireAsDecided(r, decision);
  const switched = await switchAsDecided(r, decision);
  if (switched.state === "done" || r.soakMinutes > 0) return switched;
  const retired = await retireSmtp(r);
  return {
    ...switched,
    ...retired,
    healed: [...switched.healed, ...retired.healed],
    steps: [...switched.steps, ...retired.steps],
  };
};
