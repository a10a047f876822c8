import type { SecretReader, SecretReference } from "@openemr-ops/core/config/secrets";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { StoredPassword } from "@openemr-ops/core/storedPassword";

/** A file or a variable holds one password, which a person wrote there; this program writes none. */
const writtenByHand = (reference: SecretReference, readSecret: SecretReader): StoredPassword => ({
  field: reference.field,
  versions: async () => [{ id: "current", password: await readSecret(reference), current: true }],
  writePending: async () => {
    throw new InvalidInputError([{ path: reference.field, message: "holds no password; write one there" }]);
  },
  makeCurrent: async () => {},
});

/** Where the password of a database user is kept. AWS's SDK is loaded only for a secret there. */
export const openStoredPassword = async (
  reference: SecretReference,
  readSecret: SecretReader,
): Promise<StoredPassword> => {
  if (reference.kind !== "aws") return writtenByHand(reference, readSecret);
  const { passwordSecret } = await import("@openemr-ops/aws/passwordSecret");
  return passwordSecret(reference);
};
