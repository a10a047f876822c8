import type { SecretReference } from "@openemr-ops/core/config/secrets";
import { toOpsError } from "@openemr-ops/core/errors";

/** Whether a secret works where it is used. Contains no value. */
export interface SecretFinding {
  /** Dotted path of the setting that names the secret. */
  readonly field: string;
  readonly ok: boolean;
  /** What it opens, in words. */
  readonly opens: string;
  /** The error's name and message, or a remark; empty when there is none. */
  readonly note: string;
}

/** Tries one secret; a failure is a finding. */
export const trySecret = async (
  { field }: SecretReference,
  opens: string,
  open: () => Promise<string | undefined>,
): Promise<SecretFinding> => {
  try {
    return { field, ok: true, opens, note: (await open()) ?? "" };
  } catch (failure) {
    const { name, message } = toOpsError(failure);
    return { field, ok: false, opens, note: `${name}: ${message}` };
  }
};
