import { InvalidInputError } from "../errors.ts";

/** The login of whoever administers a database server. */
export interface Administrator {
  readonly user: string;
  readonly password: string;
}

const form = 'expected JSON with the texts "username" and "password", as the secret of a database cluster has them';

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const parse = (text: string): Administrator | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { username: user, password } = value as Readonly<Record<string, unknown>>;
    return isText(user) && isText(password) ? { user, password } : undefined;
  } catch {
    return undefined; // the parser's message quotes the text
  }
};

/** Why a secret cannot be an administrator's login, in words that follow its name and never quote it. */
export const administratorProblem = (text: string): string | undefined =>
  parse(text) ? undefined : `is something else than an administrator's login; ${form}`;

/**
 * The login in the secret of a database cluster. Its `host` and `port` are not used: jobs log in where the configuration says,
 * and so does whoever makes their users.
 *
 * @param field the setting that names the secret
 * @throws {InvalidInputError} fatal: the secret contains something else
 */
export const administratorIn = (field: string, text: string): Administrator => {
  const found = parse(text);
  if (found) return found;
  throw new InvalidInputError([{ path: field, message: `the secret ${administratorProblem(text)}` }]);
};
