import { headerOf, renamed, withShortLines } from "./headerLine.ts";
import { loopHeader } from "./loops.ts";
import { formatMailbox, type Mailbox, mailboxesIn } from "./mailbox.ts";
import { type HeaderEntry, headersNamed, headerText, joinMessage, type RawMessage } from "./rawMessage.ts";

export interface ForwardedAs {
  /** Our address, of a domain that SES may send for. */
  readonly from: string;
  /** The envelope's sender; empty for a bounce. */
  readonly sender: string;
  /** Whose loops are recognised. */
  readonly installation: string;
  /** What SES's scans found that does not hold a message, such as `spam=GRAY`. */
  readonly marks: readonly string[];
}

/**
 * Headers that were true of the delivery to us alone. A signature no longer fits what it signed; SES refuses a second
 * Return-Path, signs Feedback-ID itself, and its X-SES headers would be taken as instructions.
 */
const dropped = new Set([
  ...["bcc", "delivered-to", "dkim-signature", "domainkey-signature", "feedback-id", "return-path", "sender"],
]);
const isDropped = (name: string): boolean => dropped.has(name) || /^(arc-|x-ses-)/.test(name);

/** Claims of the server that took the message in. Under their own name the next server could take them for its own. */
const claims: Readonly<Record<string, string>> = {
  "authentication-results": "X-Original-Authentication-Results",
  "received-spf": "X-Original-Received-SPF",
};

/** A message has each of these once, and SES refuses it otherwise. Source: RFC 5322, 3.6. */
const single = new Set([
  ...["cc", "content-description", "content-disposition", "content-id", "content-transfer-encoding", "content-type"],
  ...["date", "in-reply-to", "message-id", "mime-version", "references", "reply-to", "subject", "to"],
]);

const properName = ({ bytes }: HeaderEntry): string => bytes.toString("latin1", 0, bytes.indexOf(":")).trim();

/** Headers as they were, without what does not hold any more; a second one of what a message has once keeps its text under another name. */
const keptHeaders = (headers: readonly HeaderEntry[], replaced: ReadonlySet<string>): readonly HeaderEntry[] => {
  const seen = new Set<string>();
  return headers.flatMap((entry) => {
    const { name } = entry;
    if (isDropped(name) || replaced.has(name)) return [];
    const claim = claims[name];
    if (claim !== undefined) return [renamed(entry, claim)];
    const again = single.has(name) && seen.has(name);
    seen.add(name);
    return [withShortLines(again ? renamed(entry, `X-Original-${properName(entry)}`) : entry)];
  });
};

const first = (headers: readonly HeaderEntry[], name: string): string => {
  const [entry] = headersNamed(headers, name);
  return entry ? headerText(entry) : "";
};

/** Who wrote the message: the first From that names somebody, else the envelope's sender. */
const authorsOf = (headers: readonly HeaderEntry[], sender: string): readonly Mailbox[] => {
  const named = headersNamed(headers, "from").map((entry) => mailboxesIn(headerText(entry)));
  return named.find((mailboxes) => mailboxes.length > 0) ?? mailboxesIn(sender);
};

const reachable = (mailboxes: readonly Mailbox[]): readonly Mailbox[] =>
  mailboxes.filter(({ address }) => address !== "");

/** Where an answer of a person goes; nothing answers by itself. None, where nobody who wrote has an address. */
const replyTo = (headers: readonly HeaderEntry[], authors: readonly Mailbox[], sender: string): readonly Mailbox[] => {
  const [asked] = headersNamed(headers, "reply-to").map((entry) => reachable(mailboxesIn(headerText(entry))));
  if (asked && asked.length > 0) return asked;
  const wrote = reachable(authors);
  return wrote.length > 0 ? wrote : reachable(mailboxesIn(sender));
};

/** The thread: what came before, and the message itself, for SES gives it another identifier. */
const referencesOf = (headers: readonly HeaderEntry[]): string => {
  const identifiers = (name: string) => first(headers, name).match(/<[!-;=?-~]+>/g) ?? [];
  const before = identifiers("references");
  const thread = before.length > 0 ? before : identifiers("in-reply-to");
  const [own] = identifiers("message-id");
  return [...thread.filter((one) => one !== own), ...(own ? [own] : [])].join(" ");
};

/**
 * The message as we send it on: other outer headers, the same body, byte by byte. So signed parts, invitations, charsets and
 * attachments stay what they are.
 *
 * Kept as bytes: Subject, To, Cc, Date, MIME's headers, Received and all that is not named here. From is our address under the
 * name of who wrote; Reply-To leads to them.
 *
 * @see docs/mail-inbound.md, "What changes in a message"
 */
export const forwardedMessage = (message: RawMessage, { from, sender, installation, marks }: ForwardedAs): Buffer => {
  const { headers, body } = message;
  const authors = authorsOf(headers, sender);
  const [author] = authors;
  const answers = replyTo(headers, authors, sender);
  const references = referencesOf(headers);
  const replaced = new Set(["from", "reply-to", ...(references === "" ? [] : ["references"])]);
  const name = author?.name || author?.address || "";
  return joinMessage({
    headers: [
      headerOf(loopHeader, installation),
      ...(marks.length > 0 ? [headerOf("X-OpenEMR-Ops-Scan", marks.join(" "))] : []),
      headerOf("From", formatMailbox({ name, address: from })),
      ...(answers.length > 0 ? [headerOf("Reply-To", answers.map(formatMailbox).join(", "))] : []),
      ...(references === "" ? [] : [headerOf("References", references)]),
      ...keptHeaders(headers, replaced),
    ],
    body,
  });
};
