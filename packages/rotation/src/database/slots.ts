import { CredentialSecretError } from "@openemr-ops/core/errors";

/** One of two parallel users of the database. */
export type Slot = "A" | "B";
const slotNames: readonly Slot[] = ["A", "B"];

export const otherSlot = (slot: Slot): Slot => (slot === "A" ? "B" : "A");

/** A user of the database and where it logs in. */
export interface SlotLogin {
  readonly username: string;
  readonly password: string;
  readonly host?: string;
  /** A number as text, such as `3306`. */
  readonly port?: string;
  readonly dbname?: string;
}

/** What the secret of a database rotation holds. Keys that are not ours are kept. */
export interface Slots {
  readonly active_slot: Slot;
  readonly A: SlotLogin;
  readonly B: SlotLogin;
  /** A user in neither slot that OpenEMR logs in with until it is replaced, so that its password is written down too. */
  readonly replaced?: SlotLogin;
  /** In a pending text: it only says that somebody asked for a rotation, and is no plan. */
  readonly requested?: true;
  readonly [key: string]: unknown;
}

/** A text of the secret; never shown. */
export const printSlots = (slots: Slots): string => `${JSON.stringify(slots, null, 2)}\n`;

/**
 * The text for the version that Secrets Manager opens when it asks for a rotation: what is current, and that it is no plan.
 *
 * @throws {CredentialSecretError} fatal
 */
export const requestedText = (text: string, called: string): string =>
  printSlots({ ...parseSlots(text, called), requested: true });

/** All credentials in a text. */
export const loginsIn = ({ A, B, replaced }: Slots): readonly SlotLogin[] => [A, B, ...(replaced ? [replaced] : [])];

/**
 * Reads a text of the secret.
 *
 * @param called what the text is, for messages: the setting that names the secret, and which version of it
 * @throws {CredentialSecretError} fatal: names the field, never a value
 */
export const parseSlots = (text: string, called: string): Slots => {
  const wrong = (field: string, problem: string): never => {
    throw new CredentialSecretError(
      `${called}: ${field === "" ? "the text" : field} ${problem}; correct the secret, or remove it if it never was in use: the next run then makes it from what sqlconf.php names`,
    );
  };
  const object = (value: unknown, field: string): Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : wrong(field, value === undefined ? "is absent" : "is not an object");
  const line = (value: unknown, field: string): string => {
    if (value === undefined) return wrong(field, "is absent");
    if (typeof value !== "string") return wrong(field, "is not a text");
    if (value === "") return wrong(field, "is empty");
    return /[\0\r\n]/.test(value) ? wrong(field, "is not one line") : value;
  };
  const portIn = (value: unknown, field: string): string => {
    const port = typeof value === "number" ? `${value}` : line(value, field);
    return /^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535
      ? port
      : wrong(field, "is not a port from 1 to 65535");
  };
  const login = (value: unknown, slot: string): SlotLogin => {
    const { username, password, host, port, dbname, ...rest } = object(value, slot);
    return {
      ...rest,
      username: line(username, `${slot}.username`),
      password: line(password, `${slot}.password`),
      ...(host === undefined ? {} : { host: line(host, `${slot}.host`) }),
      ...(port === undefined ? {} : { port: portIn(port, `${slot}.port`) }),
      ...(dbname === undefined ? {} : { dbname: line(dbname, `${slot}.dbname`) }),
    };
  };

  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return wrong("", "is not JSON"); // the parser's message quotes the text
  }
  const { active_slot: active, A, B, replaced, ...rest } = object(read, "");
  if (!slotNames.includes(active as Slot))
    wrong("active_slot", active === undefined ? "is absent" : 'is neither "A" nor "B"');
  const slots: Slots = {
    ...rest,
    active_slot: active as Slot,
    A: login(A, "A"),
    B: login(B, "B"),
    ...(replaced === undefined ? {} : { replaced: login(replaced, "replaced") }),
  };
  if (slots.A.username === slots.B.username) wrong("B.username", "is the same as A.username");
  return slots;
};
