import type { SecretReader, SecretReference } from "@openemr-ops/core/config/secrets";
import type { DumpSettings } from "@openemr-ops/core/config/settings";
import { storeKeysIn } from "@openemr-ops/core/config/storeSecret";

/** The store's own credentials, and what reads them. */
export interface OwnCredentials {
  readonly reference: SecretReference;
  readonly readSecret: SecretReader;
}

/** What a job does with dumps. Deleting old ones may have credentials of its own. */
export type DumpPurpose = "work" | "retention";

/** The credentials that the configuration has for a purpose; not set, those that the environment leads to. */
export const ownCredentials = (
  { credentials, retentionCredentials }: Pick<DumpSettings, "credentials" | "retentionCredentials">,
  readSecret: SecretReader,
  purpose: DumpPurpose = "work",
): OwnCredentials | undefined => {
  const reference = (purpose === "retention" ? retentionCredentials : undefined) ?? credentials;
  return reference && { reference, readSecret };
};

/** What reads a store's own keys when a request is signed. */
export const keysOf = (credentials: OwnCredentials | undefined) =>
  credentials &&
  (async () => storeKeysIn(credentials.reference.field, await credentials.readSecret(credentials.reference)));
