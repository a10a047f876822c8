import { MailUnreadableError } from "@openemr-ops/core/errors";

/** One header field with all its folded lines. */
export interface HeaderEntry {
  /** In lower case. */
  readonly name: string;
  /** From the name to the last line, each of which ends with CRLF. */
  readonly bytes: Buffer;
}

/** A message split once, where its headers end. Only the headers are ever looked at. */
export interface RawMessage {
  readonly headers: readonly HeaderEntry[];
  /** What follows the blank line, as it came. */
  readonly body: Buffer;
}

const cr = 0x0d;
const lf = 0x0a;
const crlf = Buffer.from("\r\n");

/** A field's name is printable ASCII without a colon; blanks before the colon are an obsolete form. Source: RFC 5322, 2.2 and 4.5. */
const field = /^([!-9;-~]+)[ \t]*:/;

/** The first line of a mailbox file, which some servers leave in. It is no header. */
const mailboxLine = /^>?From /;

/** A line without its end; what is no end of a line and yet a CR, or a NUL, becomes a space, for it hides headers from some readers. */
const cleanLine = (line: Buffer): Buffer => {
  const end = line.at(-1) === cr ? line.length - 1 : line.length;
  const clean = Buffer.from(line.subarray(0, end));
  for (const [index, byte] of clean.entries()) if (byte === cr || byte === 0) clean[index] = 0x20;
  return clean;
};

const entryOf = (name: string, lines: readonly Buffer[]): HeaderEntry => ({
  name: name.toLowerCase(),
  bytes: Buffer.concat(lines.flatMap((line) => [line, crlf])),
});

/**
 * Splits a message at its first blank line. Lines end with LF, with a CR before it or without. A message without a blank line
 * is all headers, and has an empty body.
 *
 * @throws {MailUnreadableError} fatal: it is empty, has no header, or a line that is no header before the blank line
 */
export const splitMessage = (raw: Buffer): RawMessage => {
  const headers: HeaderEntry[] = [];
  let open: { readonly name: string; readonly lines: Buffer[] } | undefined;
  const close = () => {
    if (open) headers.push(entryOf(open.name, open.lines));
    open = undefined;
  };
  if (raw.length === 0) throw new MailUnreadableError("the message is empty; look at its stored copy in the archive");
  let start = 0;
  for (let number = 1; start < raw.length; number += 1) {
    const found = raw.indexOf(lf, start);
    const line = cleanLine(raw.subarray(start, found === -1 ? raw.length : found));
    start = found === -1 ? raw.length : found + 1;
    if (line.length === 0) break;
    const continues = line[0] === 0x20 || line[0] === 0x09;
    const [, name] = continues ? [] : (field.exec(line.toString("latin1")) ?? []);
    if (name !== undefined) {
      close();
      open = { name, lines: [line] };
    } else if (continues && open) open.lines.push(line);
    else if (!(number === 1 && mailboxLine.test(line.toString("latin1"))))
      throw new MailUnreadableError(
        `line ${number} of the message is no header and no blank line came before it; look at its stored copy in the archive`,
      );
  }
  close();
  if (headers.length === 0)
    throw new MailUnreadableError("the message has no header; look at its stored copy in the archive");
  return { headers, body: raw.subarray(start) };
};

/** Puts a message together again. The body's bytes stay. */
export const joinMessage = ({ headers, body }: RawMessage): Buffer =>
  Buffer.concat([...headers.map(({ bytes }) => bytes), crlf, body]);

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Text of bytes that name no charset: UTF-8 where they are, else one character a byte. */
const textOf = (bytes: Buffer): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
};

/** What stands behind the colon, on one line, its encoded words as they are. */
export const headerText = ({ bytes }: HeaderEntry): string => {
  const text = textOf(bytes);
  return text
    .slice(text.indexOf(":") + 1)
    .replace(/\r\n(?=[ \t])/g, "")
    .trim();
};

/** All headers of a name, in their order. */
export const headersNamed = (headers: readonly HeaderEntry[], name: string): readonly HeaderEntry[] =>
  headers.filter((entry) => entry.name === name);
