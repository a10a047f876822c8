import type { SecretReference } from "@openemr-ops/core/config/secrets";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { StoredSecret } from "@openemr-ops/core/storedSecret";
import { storedFile } from "@openemr-ops/files/storedFile";

/**
 * The secret that a rotation writes. AWS's SDK is loaded only for a secret there.
 *
 * @throws {InvalidInputError} fatal: nothing can be written where the setting points
 */
export const openStoredSecret = async (reference: SecretReference): Promise<StoredSecret> => {
  const { field } = reference;
  switch (reference.kind) {
    case "file":
      return storedFile({ path: reference.path, field });
    case "aws": {
      const { secretDocument } = await import("@openemr-ops/aws/secretDocument");
      return secretDocument(reference);
    }
    case "environment":
      throw new InvalidInputError([
        { path: field, message: "is a variable, which nothing can write; expected a file or a secret's ARN" },
      ]);
  }
};
