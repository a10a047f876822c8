import { type HeaderEntry, headersNamed, headerText } from "./rawMessage.ts";

/** The header of every message that we send on. Its value names the installation. */
export const loopHeader = "X-OpenEMR-Ops-Forwarded";

/** Servers that a message may have passed. A loop through others, who remove our header, ends here. */
const mostHops = 50;

/** Whether no person wrote it: an answer of somebody who is away, a notice. Source: RFC 3834, 5. */
export const isAutomatic = (headers: readonly HeaderEntry[]): boolean =>
  headersNamed(headers, "auto-submitted").some((entry) => !/^\s*no\b/i.test(headerText(entry)));

/** Why a message goes round in circles; undefined when it does not. Another installation's header is no loop. */
export const loopIn = (headers: readonly HeaderEntry[], installation: string): string | undefined => {
  if (headersNamed(headers, loopHeader.toLowerCase()).some((entry) => headerText(entry) === installation))
    return "it was forwarded by this installation before";
  const hops = headersNamed(headers, "received").length;
  return hops > mostHops ? `it passed ${hops} servers, and ${mostHops} are the most` : undefined;
};
