import { CredentialSecretError } from "@openemr-ops/core/errors";
import { sesPassword } from "../smtp/sesPassword.ts";
import type { SmtpRotation } from "./smtpRotation.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Reads a text of the secret of the access key. @throws {CredentialSecretError} fatal: names the field, never a value */
export const parseAccessKeySecret = (text: string, field: string): Fields => {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    read = undefined; // the parser's message quotes the text
  }
  if (typeof read === "object" && read !== null && !Array.isArray(read)) return read as Fields;
  throw new CredentialSecretError(`${field}: the text is not an object; expected {"password":"…"}. Correct the secret`);
};

/** Writes a new key's secret down, beside what else the current text holds. Nobody reads it yet. */
export const writeAccessKeySecret = async ({ inStep }: SmtpRotation, password: string): Promise<void> => {
  const store = inStep.secretAccessKey;
  if (!store) return;
  const current = (await store.versions()).find((version) => version.current);
  const fields = current ? parseAccessKeySecret(current.text, store.field) : {};
  await store.writePending(`${JSON.stringify({ ...fields, password }, null, 2)}\n`);
};

/**
 * Brings the places that other programs read in step with the login that OpenEMR has. Safe to repeat. What is made current is
 * compared with the login first: a key's secret of which the password does not derive is left where it is.
 */
export const bringInStep = async (
  r: SmtpRotation,
  login: { readonly accessKeyId: string; readonly password: string },
): Promise<void> => {
  const { secretAccessKey: store, userParameter } = r.inStep;
  if (store) {
    const [region] = r.regions;
    const fits = ({ text }: { readonly text: string }): boolean => {
      const { password } = parseAccessKeySecret(text, store.field);
      return (
        typeof password === "string" &&
        sesPassword({ id: login.accessKeyId, secret: password }, region) === login.password
      );
    };
    const fitting = (await store.versions()).find(fits);
    if (fitting === undefined)
      r.warn(
        `${store.field} is not in step: no version of it is the secret of the access key ${login.accessKeyId}. The next rotation writes it`,
      );
    else if (!fitting.current) await store.makeCurrent(fitting);
  }
  if (userParameter && (await userParameter.read()) !== login.accessKeyId) await userParameter.write(login.accessKeyId);
};
