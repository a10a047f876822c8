import { MailLoopError, MailRouteError, type OpsError } from "@openemr-ops/core/errors";
import { isAutomatic, loopIn } from "./loops.ts";
import type { HeaderEntry } from "./rawMessage.ts";
import { type Routes, routed } from "./routes.ts";

/** What SES answers about a message; other words than these may come. Source: "Contents of notifications", Amazon SES. */
export type Verdict = "PASS" | "FAIL" | "GRAY" | "PROCESSING_FAILED" | "DISABLED";

/** What SES reports of a message that it stored. */
export interface Receipt {
  /** SES's identifier of the message, and the name of its object. */
  readonly messageId: string;
  /** The envelope's sender; empty for a bounce. */
  readonly sender: string;
  /** The envelope's recipients of our domains. Headers do not name those of blind copies and lists. */
  readonly recipients: readonly string[];
  readonly virus: Verdict;
  readonly spam: Verdict;
}

export interface InboundSettings {
  readonly installation: string;
  readonly from: string;
  readonly routes: Routes;
  /** What SES sends at most, headers and encoded attachments together. */
  readonly mostBytes: number;
}

/** Who gets something, in groups of one request each. */
export interface Sending {
  readonly groups: readonly (readonly string[])[];
  /** What remains to be corrected once it is sent: recipients without a route. */
  readonly afterwards?: OpsError;
}

/** What is done with a message: exactly one of these. */
export type ForwardingDecision =
  | ({ readonly action: "forward"; readonly marks: readonly string[] } & Sending)
  /** Too large to be sent: its targets get a notice that names the stored copy. */
  | ({ readonly action: "notify" } & Sending)
  /** Stays in the archive, and nobody is notified. */
  | { readonly action: "hold"; readonly reason: "virus" | "spam" }
  | { readonly action: "drop"; readonly reason: "own bounce" | "automatic answer" }
  /** Goes to the dead letters. */
  | { readonly action: "refuse"; readonly error: OpsError };

/** Recipients of one request. Source: Amazon SES, "Service quotas". */
const largestGroup = 50;

const inGroups = (targets: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(targets.length / largestGroup) }, (_, index) =>
    targets.slice(index * largestGroup, (index + 1) * largestGroup),
  );

const isToForwarder = ({ recipients }: Receipt, from: string): boolean =>
  recipients.length > 0 && recipients.every((recipient) => recipient.toLowerCase() === from.toLowerCase());

/** A message about one that we forwarded: forwarded too, it could bounce again. */
const isOwnBounce = (receipt: Receipt, from: string): boolean =>
  (receipt.sender === "" || /^mailer-daemon@/i.test(receipt.sender)) && isToForwarder(receipt, from);

/** Names domains only: what stands before the `@` is whatever somebody outside wrote. */
const noRoute = (recipients: readonly string[]): MailRouteError => {
  const domains = [...new Set(recipients.map((one) => one.slice(one.lastIndexOf("@") + 1).toLowerCase()))];
  const where = domains.length > 0 ? `of ${domains.join(", ")}` : "of this message";
  return new MailRouteError(
    `mail.inbound.routes has no route for ${recipients.length} recipients ${where}; add one, deploy, and redrive the dead letter`,
    { field: "mail.inbound.routes" },
  );
};

/**
 * Decides what happens to a message. Nothing is read but its headers, and those of a message that is too large not at all.
 *
 * A virus and spam are held, because forwarding them costs the account its good name; what is only doubtful is marked.
 */
export const decideForwarding = (
  receipt: Receipt,
  { byteLength, headers }: { readonly byteLength: number; readonly headers: readonly HeaderEntry[] | undefined },
  { installation, from, routes, mostBytes }: InboundSettings,
): ForwardingDecision => {
  const { recipients, virus, spam } = receipt;
  if (virus === "FAIL") return { action: "hold", reason: "virus" };
  if (spam === "FAIL") return { action: "hold", reason: "spam" };
  if (isOwnBounce(receipt, from)) return { action: "drop", reason: "own bounce" };
  // Forwarded too, it could be answered again.
  if (headers && isToForwarder(receipt, from) && isAutomatic(headers))
    return { action: "drop", reason: "automatic answer" };
  const { targets, unrouted } = routed(recipients, routes);
  const lacking = unrouted.length > 0 || targets.length === 0 ? noRoute(unrouted) : undefined;
  if (lacking && targets.length === 0) return { action: "refuse", error: lacking };
  const loop = headers && loopIn(headers, installation);
  if (loop !== undefined)
    return {
      action: "refuse",
      error: new MailLoopError(
        `the message goes round in circles (${loop}); find the target that forwards back to us and correct mail.inbound.routes`,
        { field: "mail.inbound.routes" },
      ),
    };
  const sending: Sending = { groups: inGroups(targets), ...(lacking ? { afterwards: lacking } : {}) };
  if (byteLength > mostBytes || headers === undefined) return { action: "notify", ...sending };
  const marks = Object.entries({ virus, spam }).flatMap(([scan, verdict]) =>
    verdict === "PASS" || verdict === "DISABLED" ? [] : [`${scan}=${verdict}`],
  );
  return { action: "forward", marks, ...sending };
};
