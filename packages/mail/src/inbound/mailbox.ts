import { domainToASCII } from "node:url";
import libmime from "libmime";
import addressparser from "nodemailer/lib/addressparser";

/** Somebody's address, and the name that stands beside it, decoded. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Controls, marks that turn the direction of writing, and halves of characters: they show something else than they are. */
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu;
const longestName = 64;

/** A name that fits one line and shows what it is. */
const shownName = (name: string): string => {
  const clean = name.replace(invisible, " ").replace(/\s+/g, " ").trim();
  const characters = Array.from(clean);
  return characters.length <= longestName
    ? clean
    : `${characters
        .slice(0, longestName - 3)
        .join("")
        .trimEnd()}...`;
};

/** An address that SES takes in a header; undefined for others. SES has no names beyond ASCII before the `@`. */
const plainAddress = (address: string): string | undefined => {
  const at = address.lastIndexOf("@");
  const domain = domainToASCII(address.slice(at + 1));
  const local = address.slice(0, at);
  return at > 0 && domain !== "" && /^[!#-'*+\-./-9=?A-Z^-~]{1,64}$/.test(local) ? `${local}@${domain}` : undefined;
};

/** The mailboxes of a header's text, those in groups too. One whose address is unusable has an empty one. */
export const mailboxesIn = (text: string): readonly Mailbox[] =>
  addressparser(text, { flatten: true }).map(({ name, address }) => ({
    name: shownName(libmime.decodeWords(name)),
    address: plainAddress(address) ?? "",
  }));

/** A name before an address: as it is, in quotes, or as encoded words; one phrase in each case. */
const phrase = (name: string): string => {
  if (/^[A-Za-z0-9]+( [A-Za-z0-9]+)*$/.test(name)) return name;
  if (/^[ -~]*$/.test(name) && !name.includes("=?")) return `"${name.replace(/["\\]/g, "\\$&")}"`;
  return libmime.encodeWord(name, "B", 52);
};

/** A mailbox as a header has it. The address is never encoded. */
export const formatMailbox = ({ name, address }: Mailbox): string =>
  name === "" ? address : `${phrase(name)} <${address}>`;
