import { decideSmtp, type SmtpDecision } from "./decideSmtp.ts";
import { lookAtSmtp } from "./lookAtSmtp.ts";
import type { SmtpRotation } from "./smtpRotation.ts";

/** How messages name what a rotation works on. */
export const contextOf = ({ accessKeys, secret, regions }: SmtpRotation) => ({
  user: accessKeys.name,
  secret: secret.field,
  region: regions[0],
});

/** What is to be done next; changes nothing. */
export const decideNow = async (r: SmtpRotation): Promise<SmtpDecision> =>
  decideSmtp(await lookAtSmtp(r), contextOf(r));
