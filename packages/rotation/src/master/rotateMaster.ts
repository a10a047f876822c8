import {
  CredentialDriftError,
  CredentialSecretError,
  type DatabaseAccessDeniedError,
  DatabaseUnavailableError,
  RotationRefusedError,
} from "@openemr-ops/core/errors";
import type { MasterUserService } from "@openemr-ops/core/masterUser";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";
import type { MasterLogin, MasterSecretForm } from "./masterSecret.ts";

/** Who else logs in as this user, and would be locked out by a new password. */
export interface OtherUse {
  readonly user: string;
  /** In words, such as `OpenEMR (site default)`. */
  readonly whose: string;
  /** What to do first, in words. */
  readonly next: string;
}

/** Changes the password of the master user. */
export interface MasterChange {
  /**
   * Looks whether the password may be changed, as who logs in now.
   *
   * @param begun a run before this one may have set the same password
   * @throws {RotationRefusedError} @throws {PasswordPolicyError}
   */
  check(login: MasterLogin, password: string, begun: boolean): Promise<void>;
  /** Sets the new password; it may work only later. Safe to repeat. */
  set(login: MasterLogin, password: string): Promise<void>;
  /** Looks whether the change will stay. @throws {RotationRefusedError} */
  verify(login: MasterLogin): Promise<void>;
}

export interface MasterRotation {
  readonly secret: StoredSecret;
  readonly form: MasterSecretForm;
  /** Whether the server takes this login, on the writer. Tells "no" from "not now". */
  readonly logIn: (login: MasterLogin) => Promise<undefined | DatabaseAccessDeniedError>;
  readonly change: MasterChange;
  readonly otherUses: () => Promise<readonly OtherUse[]>;
  readonly newPassword: () => string;
  /** How long a change may take until it works. */
  readonly limitSeconds: number;
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => Date;
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

export interface RotatedMaster {
  readonly user: string;
  /** The new password logged in. */
  readonly proven: boolean;
  /** Who keeps the password: this program in its secret, or RDS. */
  readonly keptBy: "secret" | "service";
}

export interface MasterRotationPlan {
  readonly dryRun: true;
  readonly user: string;
  /** What a run would do, in words. */
  readonly would: readonly string[];
}

type Ports = Pick<MasterRotation, "limitSeconds" | "wait" | "now" | "progress" | "signal">;

const secondsBetweenLogins = 5;

/** Logs in until it works, for a server applies a change when it likes. @throws {CredentialDriftError} fatal: it never did */
const untilItLogsIn = async (
  logIn: MasterRotation["logIn"],
  login: MasterLogin,
  { limitSeconds, wait, now, progress, signal }: Ports,
  whatIsStored: string,
): Promise<void> => {
  const began = now().getTime();
  for (;;) {
    signal.throwIfAborted();
    const refusal = await logIn(login).catch((error: unknown) => {
      if (error instanceof DatabaseUnavailableError) return error; // it may restart for the change
      throw error;
    });
    if (refusal === undefined) return;
    if (now().getTime() - began >= limitSeconds * 1000)
      throw new CredentialDriftError(
        `the new password of ${login.user} does not log in after ${limitSeconds} seconds; ${whatIsStored}. Look whether the server applied the change, then start the job again: it continues with the same password`,
        { cause: refusal },
      );
    progress({ step: "master", detail: "waits until the new password works" });
    await wait(secondsBetweenLogins, signal);
  }
};

/** What is stored, and which of it logs in. */
interface Found {
  readonly login: MasterLogin;
  readonly version: SecretVersion;
  /** A password that was written down and is not used yet: never another one is made. */
  readonly pending?: { readonly version: SecretVersion; readonly login: MasterLogin };
}

const find = async ({ secret, form, logIn }: MasterRotation): Promise<Found> => {
  const versions = await secret.versions();
  const read = (version: SecretVersion) => ({
    version,
    login: form.read(version.text, `${secret.field} (${version.current ? "current" : "pending"} version)`),
  });
  const current = versions.filter((version) => version.current).map(read)[0];
  const pending = versions.filter((version) => !version.current).map(read)[0];
  if (!current && !pending)
    throw new CredentialSecretError(`${secret.field}: the secret has no value; store the login that works there`);
  if (current && pending && current.login.user !== pending.login.user)
    throw new CredentialSecretError(
      `${secret.field}: its current and its pending version name different users; remove the one that is wrong`,
    );
  let refusal: DatabaseAccessDeniedError | undefined;
  for (const one of [pending, current]) {
    if (!one) continue;
    const refused = await logIn(one.login);
    if (refused === undefined) return { ...one, ...(pending ? { pending } : {}) };
    refusal ??= refused;
  }
  throw new CredentialDriftError(
    `no password that is written down in ${secret.field} logs in as ${(current ?? pending)?.login.user}; store the one that works there, nothing was changed`,
    { cause: refusal },
  );
};

/** A server that takes any password from here proves nothing. */
const assertPasswordCounts = async ({ logIn, newPassword }: MasterRotation, { user }: MasterLogin): Promise<void> => {
  if ((await logIn({ user, password: newPassword() })) !== undefined) return;
  throw new RotationRefusedError(
    `the server takes any password of ${user} from here, as by unix_socket, so that no new one can be proven; nothing was changed. Name an administrator who logs in with a password`,
  );
};

/** @throws {RotationRefusedError} refused: somebody else would be locked out */
const assertNobodyElse = async ({ otherUses }: MasterRotation, { user }: MasterLogin): Promise<void> => {
  const other = (await otherUses()).find((one) => one.user === user);
  if (!other) return;
  throw new RotationRefusedError(
    `${other.whose} logs in as ${user} too and would be locked out by a new password; nothing was changed. ${other.next}`,
  );
};

/** Reads only. */
export const planMasterRotation = async (rotation: MasterRotation): Promise<MasterRotationPlan> => {
  const { version, login, pending } = await find(rotation);
  await assertNobodyElse(rotation, login);
  await assertPasswordCounts(rotation, login);
  if (version.current) await rotation.change.check(login, rotation.newPassword(), pending !== undefined);
  const finish = ["prove it by a login", "make it the current one"];
  return {
    dryRun: true,
    user: login.user,
    would: !version.current
      ? ["find the pending password at work", ...finish]
      : [pending ? "use the password that is pending" : "store a new password", "set it on the server", ...finish],
  };
};

/**
 * Gives the master user a new password: written down first, set, proven by a login, and then made the current one. A run that was
 * stopped is finished: what was written down is used, and nothing is made anew.
 *
 * @throws {CredentialSecretError} @throws {CredentialDriftError} @throws {RotationRefusedError} @throws {PasswordPolicyError}
 */
export const rotateMaster = async (rotation: MasterRotation): Promise<RotatedMaster> => {
  const { secret, form, change, logIn, newPassword, progress, warn } = rotation;
  progress({ step: "master", detail: "finds the password that works" });
  const { version, login, pending } = await find(rotation);
  await assertNobodyElse(rotation, login);
  await assertPasswordCounts(rotation, login);
  const done = (user: string): RotatedMaster => ({ user, proven: true, keptBy: "secret" });
  if (!version.current) {
    // A run before this one stopped after its change.
    await change.verify(login);
    await secret.makeCurrent(version);
    return done(login.user);
  }
  const password = pending?.login.password ?? newPassword();
  await change.check(login, password, pending !== undefined);
  const next = pending?.version ?? (await secret.writePending(form.withPassword(version.text, password)));
  progress({ step: "master", detail: "sets the new password" });
  await change.set(login, password);
  const changed = { ...login, password };
  await untilItLogsIn(logIn, changed, rotation, `it is in the pending version of ${secret.field}`);
  await change.verify(changed);
  if ((await logIn(login)) === undefined)
    warn(`the password of ${login.user} from before still logs in: another account of this name may have it`);
  await secret.makeCurrent(next);
  return done(login.user);
};

/** What is needed where the service keeps the password itself. */
export type OwnRotation = Pick<MasterRotation, "logIn" | "otherUses"> & Ports & { readonly service: MasterUserService };

/**
 * Starts the service's own rotation, and proves its result by a login: two who rotate one password would lock each other out.
 *
 * @throws {CredentialDriftError} fatal: no new password came, or it does not log in
 */
export const rotateOwn = async (rotation: OwnRotation): Promise<RotatedMaster> => {
  const { service, logIn, otherUses, limitSeconds, wait, now, progress, signal } = rotation;
  const { name, user } = await service.look();
  const other = (await otherUses()).find((one) => one.user === user);
  if (other)
    throw new RotationRefusedError(`${other.whose} logs in as ${user} too; nothing was changed. ${other.next}`);
  const before = await service.readOwn();
  await service.rotateOwn();
  const began = now().getTime();
  let own = before;
  while (own.versionId === before.versionId) {
    if (now().getTime() - began >= limitSeconds * 1000)
      throw new CredentialDriftError(
        `${name} stored no new password of ${user} within ${limitSeconds} seconds; look at its events`,
      );
    progress({ step: "master", detail: "waits for the service's own rotation" });
    await wait(secondsBetweenLogins, signal);
    signal.throwIfAborted();
    own = await service.readOwn();
  }
  await untilItLogsIn(logIn, own, rotation, "it is in the service's own secret");
  return { user, proven: true, keptBy: "service" };
};
