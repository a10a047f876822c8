import * as field from "../fields.ts";
import { type Complain, complain } from "../rules.ts";
import type { SecretReference } from "../secrets.ts";

/** Someone who may log in. */
export const loginShape = { user: field.userName, ...field.secretOf("password") };

export const needsOnePassword = (
  settings: { readonly password?: unknown; readonly passwordFile?: unknown },
  context: Complain,
): void => {
  if (settings.password !== undefined && settings.passwordFile !== undefined) {
    complain(context, ["password"], "say either password or passwordFile, not both");
  } else if (settings.password === undefined && settings.passwordFile === undefined) {
    complain(context, ["passwordFile"], "expected a file that holds the password, env:NAME or a secret's ARN");
  }
};

interface Passwords {
  readonly password?: SecretReference | undefined;
  readonly passwordFile?: SecretReference | undefined;
}

/** The one of both that is set; for shapes with the rule `needsOnePassword`. */
export const onePassword = ({ password, passwordFile }: Passwords): SecretReference => {
  const reference = password ?? passwordFile;
  if (!reference) throw new TypeError("the schema lets nothing pass without its password");
  return reference;
};

export const settleLogin = <Settings extends Passwords>({ password, passwordFile, ...rest }: Settings) => ({
  ...rest,
  password: onePassword({ password, passwordFile }),
});
