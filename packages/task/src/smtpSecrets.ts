import { CredentialSecretError } from "@openemr-ops/core/errors";
import { parseAccessKeySecret } from "@openemr-ops/mail/rotation/inStep";
import { parseSmtpSecret } from "@openemr-ops/mail/rotation/smtpSecret";
import { mailServer } from "@openemr-ops/mail/smtp/mailServer";
import type { SmtpSettings } from "./programs/mailContext.ts";

/** How a secret is tried: what it opens, and a remark. */
interface Trial {
  readonly opens: string;
  readonly open: (value: string) => Promise<string | undefined>;
}

/** The secrets of the SMTP login, each tried where it is used. */
export const trialsOfSmtp = (
  { secret, inStep, server }: SmtpSettings,
  signal: AbortSignal,
): readonly (readonly [field: string, trial: Trial])[] => {
  const { field } = secret;
  const login: Trial = {
    opens: `the SMTP server ${server.host}:${server.port} as OpenEMR`,
    open: async (value) => {
      const { accessKeyId: user, password } = parseSmtpSecret(value, field);
      if (user === undefined || password === undefined) return "its form alone was checked: it names no access key";
      await mailServer(server).logIn({ user, password }, signal);
      return `logged in as ${user}`;
    },
  };
  const key = inStep.secretAccessKey;
  if (!key) return [[field, login]];
  const form: Trial = {
    opens: "nothing of ours: other programs read it",
    open: async (value) => {
      const { password } = parseAccessKeySecret(value, key.field);
      if (typeof password === "string" && password !== "") return "its form alone was checked";
      throw new CredentialSecretError(`${key.field}: password is no text; expected {"password":"…"}`);
    },
  };
  return [
    [field, login],
    [key.field, form],
  ];
};
