import { passwordIn } from "@openemr-ops/core/config/passwordText";
import type { SecretReference } from "@openemr-ops/core/config/secrets";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { PasswordVersion, StoredPassword } from "@openemr-ops/core/storedPassword";
import type { SecretVersion } from "@openemr-ops/core/storedSecret";
import { fieldOf } from "./awsSecret.ts";
import { type SecretDocumentSettings, secretDocument } from "./secretDocument.ts";

type Reference = Extract<SecretReference, { readonly kind: "aws" }>;

/**
 * A password in AWS Secrets Manager, by its ARN. A secret without a value has no version; the first one may become current
 * at once, whatever its label.
 */
export const passwordSecret = (reference: Reference, settings?: SecretDocumentSettings): StoredPassword => {
  const { arn, key, field } = reference;
  const document = secretDocument(reference, settings);
  const passwordOf = ({ id, text, current }: SecretVersion): PasswordVersion => {
    const read = passwordIn(fieldOf(arn, text, key));
    if ("password" in read) return { id, password: read.password, current };
    throw new InvalidInputError([{ path: field, message: `the value of that secret ${read.problem}` }]);
  };
  return {
    field,
    versions: async () => (await document.versions()).map(passwordOf),
    writePending: async (password) => passwordOf(await document.writePending(password)),
    makeCurrent: ({ id, password, current }) => document.makeCurrent({ id, text: password, current }),
  };
};
