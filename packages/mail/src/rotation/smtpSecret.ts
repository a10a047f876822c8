import { CredentialSecretError } from "@openemr-ops/core/errors";
import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";

/** A key that was replaced, and its passwords: whoever has to bring it back needs them. */
export interface RetiringKey {
  readonly accessKeyId: string;
  readonly password: string;
  readonly passwords?: Readonly<Record<string, string>>;
  /** Written shortly before the key was made inactive; absent until the new login is the current one. */
  readonly deactivatedAt?: string;
  /** Messages in the sites' queues that failed before the switch already; absent where there were none. */
  readonly failing?: Readonly<Record<string, number>>;
}

/** Written before a key is made, so that one which nobody wrote down can be told from one that somebody else made. */
export interface Creating {
  readonly since: string;
  /** Keys that were there before. */
  readonly known: readonly string[];
}

/** What the secret of the SMTP login holds. Keys that are not ours are kept. Never log or print it. */
export interface SmtpSecret {
  /** Absent where another program wrote the text, and the login is not known by it. */
  readonly accessKeyId?: string;
  /** Of the SMTP server of `region`. */
  readonly password?: string;
  /** Of the servers of other regions. */
  readonly passwords?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
  readonly region?: string;
  readonly creating?: Creating;
  readonly retiring?: RetiringKey;
  /** Keys that rotations deleted, the newest first: an administration page that was opened long ago can write one back. */
  readonly retired?: readonly string[];
  readonly others: Readonly<Record<string, unknown>>;
}

/** A text of the secret; never shown. */
export const printSmtpSecret = ({ others, ...secret }: SmtpSecret): string =>
  `${JSON.stringify({ ...others, username: secret.accessKeyId, ...secret }, null, 2)}\n`;

/**
 * Reads a text of the secret. One that has `username` alone means the key of that name; one with `password` alone is that of a
 * program that keeps the key's identifier elsewhere.
 *
 * @throws {CredentialSecretError} fatal: names the field, never a value
 */
export const parseSmtpSecret = (text: string, called: string): SmtpSecret => {
  const wrong = (problem: string) =>
    new CredentialSecretError(
      `${called}: ${problem}; expected {"username":"AKIA…","password":"…"}. Correct the secret, or store {} in it: the login is then taken from OpenEMR's settings`,
    );
  const textIn = (fields: Fields, field: string, where = field): string | undefined => {
    const value = fields[field];
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value === "") throw wrong(`${where} is not a text`);
    return value;
  };
  const needed = (fields: Fields, field: string, where: string): string => {
    const value = textIn(fields, field, where);
    if (value === undefined) throw wrong(`${where} is absent`);
    return value;
  };
  const moment = (value: string | undefined, where: string): string | undefined => {
    if (value !== undefined && Number.isNaN(Date.parse(value))) throw wrong(`${where} is no moment`);
    return value;
  };
  const objectIn = (value: unknown, where: string): Fields | undefined => {
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(`${where} is not an object`);
    return value as Fields;
  };
  const passwordsIn = (value: unknown, where: string): Readonly<Record<string, string>> | undefined => {
    const fields = objectIn(value, where);
    return (
      fields && Object.fromEntries(Object.keys(fields).map((name) => [name, needed(fields, name, `${where}.${name}`)]))
    );
  };
  const countsIn = (value: unknown, where: string): Readonly<Record<string, number>> | undefined => {
    const fields = objectIn(value, where);
    return (
      fields &&
      Object.fromEntries(
        Object.entries(fields).map(([name, count]) => {
          if (typeof count !== "number" || !Number.isInteger(count)) throw wrong(`${where}.${name} is no whole number`);
          return [name, count];
        }),
      )
    );
  };
  const idsIn = (value: unknown, where: string): readonly string[] => {
    if (Array.isArray(value) && value.every((id) => typeof id === "string")) return value;
    throw wrong(`${where} is not a list of texts`);
  };

  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw wrong("the text is not JSON"); // the parser's message quotes the text
  }
  const fields = objectIn(read, "the text") ?? {};
  const {
    accessKeyId: _id,
    username,
    password: _password,
    passwords,
    createdAt: _at,
    region: _region,
    ...rest
  } = fields;
  const { creating: creatingIn, retiring: retiringIn, retired: retiredIn, ...others } = rest;
  const accessKeyId = textIn(fields, "accessKeyId") ?? textIn(fields, "username");
  if (username !== undefined && username !== accessKeyId) throw wrong("username and accessKeyId are two");
  const password = textIn(fields, "password");
  if (accessKeyId !== undefined && password === undefined) throw wrong("password is absent");

  const creating = objectIn(creatingIn, "creating");
  const retiring = objectIn(retiringIn, "retiring");
  if (retiring && accessKeyId === undefined) throw wrong("accessKeyId is absent");
  return defined({
    accessKeyId,
    password,
    passwords: passwordsIn(passwords, "passwords"),
    createdAt: textIn(fields, "createdAt"),
    region: textIn(fields, "region"),
    creating: creating && {
      since: moment(needed(creating, "since", "creating.since"), "creating.since") ?? "",
      known: idsIn(creating.known, "creating.known"),
    },
    retiring:
      retiring &&
      defined({
        accessKeyId: needed(retiring, "accessKeyId", "retiring.accessKeyId"),
        password: needed(retiring, "password", "retiring.password"),
        passwords: passwordsIn(retiring.passwords, "retiring.passwords"),
        deactivatedAt: moment(textIn(retiring, "deactivatedAt", "retiring.deactivatedAt"), "retiring.deactivatedAt"),
        failing: countsIn(retiring.failing, "retiring.failing"),
      }),
    retired: retiredIn === undefined ? undefined : idsIn(retiredIn, "retired"),
    others,
  });
};

type Fields = Readonly<Record<string, unknown>>;

/** Without the fields that are undefined. */
type Defined<T> = { [Field in keyof T as undefined extends T[Field] ? never : Field]: T[Field] } & {
  [Field in keyof T as undefined extends T[Field] ? Field : never]?: Exclude<T[Field], undefined>;
};
const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;

/** A text of the secret, read, and its version. */
export interface StoredSmtp {
  readonly secret: SmtpSecret;
  readonly version: SecretVersion;
}

export interface SmtpTexts {
  readonly current?: StoredSmtp;
  readonly pending?: StoredSmtp;
}

/** Reads both texts. @throws {CredentialSecretError} fatal: one is not what it has to be */
export const readSmtpTexts = async (stored: StoredSecret): Promise<SmtpTexts> => {
  const texts: { current?: StoredSmtp; pending?: StoredSmtp } = {};
  for (const version of await stored.versions()) {
    const called = version.current ? stored.field : `${stored.field} (pending)`;
    texts[version.current ? "current" : "pending"] = { secret: parseSmtpSecret(version.text, called), version };
  }
  return texts;
};
