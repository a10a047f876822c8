import { passwordIn } from "@openemr-ops/core/config/passwordText";
import { CredentialSecretError } from "@openemr-ops/core/errors";

/** What a version of the master's secret says. */
export interface MasterLogin {
  readonly user: string;
  readonly password: string;
}

/** How the login of the master user is written down. */
export interface MasterSecretForm {
  /** @param called what the text is, for messages. @throws {CredentialSecretError} fatal: names the field, never a value */
  read(text: string, called: string): MasterLogin;
  /** The same text with another password. */
  withPassword(text: string, password: string): string;
}

/** A password alone, in one line; the configuration names the user. */
export const passwordAlone = (user: string): MasterSecretForm => ({
  read: (text, called) => {
    const read = passwordIn(text);
    if ("problem" in read) throw new CredentialSecretError(`${called}: the password ${read.problem}`);
    return { user, password: read.password };
  },
  withPassword: (_, password) => `${password}\n`,
});

const objectIn = (text: string, called: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // the parser's message quotes the text
  }
  throw new CredentialSecretError(
    `${called}: the text is no JSON object; expected one with "username" and "password", as the secret of a database cluster`,
  );
};

/** JSON with user and password, as the secret of a database cluster; its other fields are kept. */
export const jsonLogin: MasterSecretForm = {
  read: (text, called) => {
    const { username: user, password } = objectIn(text, called);
    for (const [field, value] of Object.entries({ username: user, password }))
      if (typeof value !== "string" || value === "" || /[\0\r\n]/.test(value))
        throw new CredentialSecretError(
          `${called}: ${field} ${value === undefined ? "is absent" : "is not a text of one line"}; correct the secret`,
        );
    return { user: user as string, password: password as string };
  },
  withPassword: (text, password) => `${JSON.stringify({ ...objectIn(text, "the secret"), password }, null, 2)}\n`,
};
