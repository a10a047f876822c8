import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { MasterUserService } from "@openemr-ops/core/masterUser";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect, connectReadOnly, type DatabaseConnection } from "@openemr-ops/database/connection";
import { type Account, accountIn, serverKind, setPassword } from "@openemr-ops/database/users/account";
import { assertPasswordAllowed } from "@openemr-ops/database/users/passwordRules";
import type { MasterLogin } from "./masterSecret.ts";
import type { MasterChange, MasterRotation } from "./rotateMaster.ts";

/** The account that a connection is, among those of its user. */
const ownAccount = async (connection: DatabaseConnection): Promise<Account> => {
  const [row] = await connection.rows("SELECT CURRENT_USER() AS account");
  const account = row?.account ?? "";
  const at = account.lastIndexOf("@");
  return { user: account.slice(0, at), host: account.slice(at + 1) };
};

/** Ways to check a password of which the form of a new one is known. */
const knownPlugins = /^(mysql_native_password|caching_sha2_password|sha256_password|)$/;

const assertOneWay = async (connection: DatabaseConnection, account: Account): Promise<void> => {
  const [row] = await connection.rows("SELECT plugin FROM mysql.user WHERE User = ? AND Host = ?", [
    account.user,
    account.host,
  ]);
  const [created] = await connection.rows(`SHOW CREATE USER ${accountIn(account)}`);
  const several = / OR /.test(Object.values(created ?? {})[0] ?? "");
  const plugin = row?.plugin ?? "";
  if (knownPlugins.test(plugin) && !several) return;
  throw new RotationRefusedError(
    `the account ${accountIn(account)} logs in by ${several ? "several ways" : plugin}, which a new password would undo; nothing was changed. Name an administrator who logs in with a password alone`,
  );
};

/**
 * Changes the password where only the server knows it: as the user itself, on the account that this program logs in to. Accounts of
 * the same name for other hosts keep theirs.
 *
 * @param accessOf how a user logs in on the writer
 */
export const changeOnServer = (accessOf: (login: MasterLogin) => DatabaseAccess): MasterChange => ({
  check: async (login, password) => {
    await using connection = await connectReadOnly(accessOf(login), "information_schema");
    await assertOneWay(connection, await ownAccount(connection));
    await assertPasswordAllowed(connection, password);
  },
  set: async (login, password) => {
    await using connection = await connect(accessOf(login), "information_schema");
    const { product } = await serverKind(connection);
    await setPassword(connection, await ownAccount(connection), password, product);
  },
  verify: async () => {},
});

const secondsBetweenLooks = 5;

/**
 * Changes the password through the service that administers the server, at once. A value that somebody set before and that waits for
 * a maintenance window would come back later: it is refused, before the change and after it.
 */
export const changeByService = (
  service: MasterUserService,
  { limitSeconds, wait, now, signal }: Pick<MasterRotation, "limitSeconds" | "wait" | "now" | "signal">,
): MasterChange => {
  const refusal = (name: string) =>
    new RotationRefusedError(
      `another master password waits for the maintenance window of ${name} and would replace the one that works; apply or withdraw it first`,
    );
  return {
    check: async ({ user }, _password, begun) => {
      const found = await service.look();
      if (found.user !== user)
        throw new RotationRefusedError(
          `the master user of ${found.name} is ${found.user}, and the secret names ${user}; nothing was changed. Store the master user's login, or leave rotations.master out`,
        );
      if (found.changePending && !begun) throw refusal(found.name);
    },
    set: async (_, password) => service.setPassword(password),
    verify: async () => {
      const began = now().getTime();
      for (;;) {
        signal.throwIfAborted();
        const { name, changePending } = await service.look(); // its own view may be late
        if (!changePending) return;
        if (now().getTime() - began >= limitSeconds * 1000) throw refusal(name);
        await wait(secondsBetweenLooks, signal);
      }
    },
  };
};
