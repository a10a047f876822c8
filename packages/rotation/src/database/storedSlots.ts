import { CredentialSecretError } from "@openemr-ops/core/errors";
import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";
import { otherSlot, parseSlots, type Slots } from "./slots.ts";

/** A text of the secret, read, and its version. */
export interface StoredSlots {
  readonly slots: Slots;
  readonly version: SecretVersion;
}

export interface BothTexts {
  readonly current?: StoredSlots;
  readonly pending?: StoredSlots;
}

/** Reads both texts of the secret. @throws {CredentialSecretError} fatal: one is not what it has to be */
export const readTexts = async (secret: StoredSecret): Promise<BothTexts> => {
  const texts: { current?: StoredSlots; pending?: StoredSlots } = {};
  for (const version of await secret.versions()) {
    const called = version.current ? secret.field : `${secret.field} (pending)`;
    texts[version.current ? "current" : "pending"] = { slots: parseSlots(version.text, called), version };
  }
  return texts;
};

/**
 * The pending text where it is a plan: the user of its active slot is to be the live one, and the other's password is new and set
 * last. Any other one only describes what was found, and was never used: a run was stopped before it made it the current one.
 *
 * @throws {CredentialSecretError} fatal: it names other users than the current text
 */
export const planIn = ({ current, pending }: BothTexts, secret: StoredSecret): StoredSlots | undefined => {
  if (!current || !pending || pending.slots.replaced) return undefined;
  if (pending.slots.requested && !current.slots.requested) return undefined; // a person may have made one current
  const old = otherSlot(pending.slots.active_slot);
  if (pending.slots[old].password === current.slots[old].password) return undefined;
  for (const slot of ["A", "B"] as const)
    if (pending.slots[slot].username !== current.slots[slot].username)
      throw new CredentialSecretError(
        `${secret.field} (pending): ${slot}.username is another than that of the current version; remove the pending version, or store the users of the current one in it`,
      );
  return pending;
};
