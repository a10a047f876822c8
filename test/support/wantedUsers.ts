import type { StoredPassword } from "@openemr-ops/core/storedPassword";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { rightsToDump, rightsToRestore } from "@openemr-ops/database/users/neededRights";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import type { UsersToPrepare } from "@openemr-ops/database/users/prepareUsers";
import type { ServerAddress } from "@openemr-ops/local/servers/databaseServer";
import { accessOf, type SchemaUser } from "./database.ts";
import { type MemoryPassword, memoryPassword } from "./memoryPassword.ts";

const place = "installations[0].database";

export interface UserSecrets {
  readonly dump: MemoryPassword;
  readonly restore: MemoryPassword;
}

/** The secrets of both users; empty, or with what a person stored. */
export const userSecrets = (stored: { readonly dump?: string; readonly restore?: string } = {}): UserSecrets => ({
  dump: memoryPassword(`${place}.password`, stored.dump),
  restore: memoryPassword(`${place}.restore.password`, stored.restore),
});

/** Both users of a schema, as the program asks for them; the administrator is root unless `changes` has another. */
export const wantedUsers = (
  {
    server,
    schema,
    dump,
    restore,
  }: Readonly<Record<"schema" | "dump" | "restore", string>> & { server: ServerAddress },
  secrets: { readonly dump: StoredPassword; readonly restore: StoredPassword },
  changes: Partial<UsersToPrepare> = {},
): UsersToPrepare => {
  const access = (who: SchemaUser): DatabaseAccess => accessOf({ ...server, name: schema }, who);
  const login = (user: string) => access({ user, password: "" });
  return {
    administrator: access(server),
    users: [
      {
        role: "dump user",
        field: `${place}.user`,
        user: dump,
        secret: secrets.dump,
        access: login(dump),
        rights: rightsToDump,
      },
      {
        role: "restore user",
        field: `${place}.restore.user`,
        user: restore,
        secret: secrets.restore,
        access: login(restore),
        rights: rightsToRestore,
      },
    ],
    forbidden: [],
    newPassword,
    ...changes,
  };
};
