import { PasswordPolicyError } from "@openemr-ops/core/errors";
import type { SecretVersion } from "@openemr-ops/core/storedSecret";
import { opens } from "@openemr-ops/openemr/passwordHash";
import { passwordPolicyIn, policyProblem } from "@openemr-ops/openemr/passwordPolicy";
import type { AdminRotation, AdminStep } from "./adminRotation.ts";
import { type AdminSecret, printAdminSecret, readAdminTexts } from "./adminSecret.ts";
import type { FoundAdmin } from "./lookAtAdmin.ts";

/** What comes next. */
export interface PasswordDecision {
  readonly steps: readonly AdminStep[];
  readonly password: string;
  /** The text to write down, or the version that already holds the password. */
  readonly stored: SecretVersion | { readonly text: string };
  readonly warnings: readonly string[];
}

const openedByAny = async (password: string, hashes: readonly (string | null)[]): Promise<boolean> => {
  for (const hash of hashes) if (hash !== null && (await opens(password, hash)) === true) return true;
  return false;
};

/**
 * Decides by what is stored and what the database has. A pending password that the database has is the rest of a run that was
 * stopped. One that it does not have is used, and none is made in its place, unless it was in use before.
 *
 * @throws {CredentialSecretError} fatal: a text of the secret is not what it has to be
 * @throws {PasswordPolicyError} refused: a rule of OpenEMR's refuses the password; nothing was changed
 */
export const decidePassword = async (
  rotation: Pick<AdminRotation, "secret" | "user" | "newPassword">,
  { user, settings, audited }: FoundAdmin,
): Promise<PasswordDecision> => {
  const { secret, newPassword } = rotation;
  const { current, pending } = await readAdminTexts(secret, rotation.user);
  const isNew = pending !== undefined && pending.secret.password !== current?.secret.password;
  if (isNew && (await opens(pending.secret.password, user.hash)) === true) {
    const { password } = pending.secret;
    return { steps: ["makePasswordCurrent"], password, stored: pending.version, warnings: [] };
  }

  const usable = isNew && !(await openedByAny(pending.secret.password, user.history));
  const password = usable ? pending.secret.password : newPassword();
  const problem =
    policyProblem(password, passwordPolicyIn(settings)) ??
    ((await openedByAny(password, [user.hash, ...user.history])) ? "was in use before" : undefined);
  if (problem)
    throw new PasswordPolicyError(
      usable
        ? `OpenEMR refuses the password that ${secret.field} has as its pending version: it ${problem}; remove that version, or store another password in it`
        : `OpenEMR would refuse the new password of ${rotation.user}: it ${problem}; change that setting`,
    );

  const text: AdminSecret = { ...current?.secret, username: rotation.user, password };
  const warnings: string[] = [];
  if (current && (await opens(current.secret.password, user.hash)) === false)
    warnings.push(
      `the password in ${secret.field} was not that of OpenEMR's user ${rotation.user}: somebody changed it, or the database was restored. A new one takes its place`,
    );
  if (user.group === undefined)
    warnings.push(`OpenEMR's user ${rotation.user} is in no group, and OpenEMR lets nobody in without one`);
  if (!audited) warnings.push("this release has another audit log: the change is not in it");
  return {
    steps: usable
      ? ["changePassword", "makePasswordCurrent"]
      : ["storePassword", "changePassword", "makePasswordCurrent"],
    password,
    stored: usable ? pending.version : { text: printAdminSecret(text) },
    warnings,
  };
};
