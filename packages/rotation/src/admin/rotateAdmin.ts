import { DatabaseFailedError } from "@openemr-ops/core/errors";
import { connect, connectReadOnly, type DatabaseConnection } from "@openemr-ops/database/connection";
import { secureRow } from "@openemr-ops/openemr/loginUser";
import { bcryptCost, hashPassword } from "@openemr-ops/openemr/passwordHash";
import { practiceTime } from "@openemr-ops/openemr/practiceTime";
import type { AdminRotation, AdminRotationPlan, RotatedAdmin } from "./adminRotation.ts";
import { changePassword } from "./changePassword.ts";
import { decidePassword } from "./decidePassword.ts";
import { type FoundAdmin, lookAtAdmin } from "./lookAtAdmin.ts";

/**
 * Shows what `rotateAdmin` would do; reads only, and needs no more than the right to.
 *
 * @throws as `rotateAdmin` does before its first change
 */
export const planAdminRotation = async (rotation: AdminRotation): Promise<AdminRotationPlan> => {
  await using database = await connectReadOnly(rotation.database);
  const { steps, warnings } = await decidePassword(rotation, await lookAtAdmin(database, rotation));
  return { user: rotation.user, site: rotation.site, steps, warnings };
};

/**
 * Gives the user a new password that nobody chose. It is written down first, and the stored one becomes the current one last, so
 * that a stop at any moment leaves a password in the secret that opens the account. The next run then ends what was begun, and
 * makes no second password. Open sessions of the user end at their next request.
 *
 * @throws {RotationRefusedError} refused: LDAP, an inactive user, a second factor that depends on the password; nothing was changed
 * @throws {PasswordPolicyError} refused: OpenEMR's rules refuse the password; nothing was changed
 * @throws {CredentialSecretError} fatal: the secret's text is not what it has to be; nothing was changed
 * @throws {SecretUnreadableError | SecretStoreUnavailableError}
 * @throws the rest of the `Database…Error` family
 */
export const rotateAdmin = async (rotation: AdminRotation): Promise<RotatedAdmin> => {
  const { secret, user, site, signal, progress, now } = rotation;
  await using database = await connect(rotation.database);
  let found = await lookAtAdmin(database, rotation);
  const { steps, password, stored, warnings } = await decidePassword(rotation, found);
  for (const warning of warnings) rotation.warn(warning);

  signal.throwIfAborted();
  const version = "id" in stored ? stored : await secret.writePending(stored.text);
  if (steps.includes("changePassword")) {
    progress({ step: "password", detail: user });
    const hash = await hashPassword(password, costFor(found));
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const date = await practiceTime(database, found.settings, now());
      if (await changePassword(database, found, { password, hash, date })) break;
      if (attempt === mostAttempts)
        throw new DatabaseFailedError(
          `the password of OpenEMR's user ${user} is changed by somebody else all the time; the new one is in ${secret.field} as the pending version. Find out who does that, then start the job again`,
        );
      found = await lookAtAdmin(database, rotation); // OpenEMR itself renews hashes when somebody logs in
    }
    await assertStored(database, found, hash);
  }
  await secret.makeCurrent(version);
  return { user, site, steps };
};

const mostAttempts = 3;

/** The cost that OpenEMR would take; with its default, that of the hash before, or else PHP's. */
const costFor = ({ settings, user }: FoundAdmin): number => {
  const setting = Number(settings.get("gbl_auth_bcrypt_hash_cost"));
  const before = bcryptCost(user.hash) ?? 10;
  return Math.min(setting >= 4 ? setting : Math.max(before, 10), 14);
};

/** Outside the transaction, as the next login sees it. */
const assertStored = async (database: DatabaseConnection, { user }: FoundAdmin, hash: string): Promise<void> => {
  const row = await secureRow(database, user.id, user.columns);
  if (row?.hash !== hash)
    throw new DatabaseFailedError(
      `the new password of OpenEMR's user ${user.username} did not stay in the database; the stored one is still the old one. Start the job again`,
    );
};
