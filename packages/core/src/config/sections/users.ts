import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { type Complain, complain } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** Who makes the database users of `database` and `database.restore`. */
export const users = section(
  strict({
    /** JSON with `username` and `password`, as the secret of a database cluster has them. */
    administrator: field.administrator,
  }),
  (settings) => settings,
);

/** Who makes users needs two of them, each with a password that is its own. */
export const usersRules = (installation: unknown, context: Complain): void => {
  const at = (...path: readonly string[]) => valueAt(installation, path);
  const administrator = at("users", "administrator");
  if (administrator === undefined) return;
  if (at("database", "restore") === undefined) {
    complain(context, ["database", "restore"], "is missing; users makes a user of its own for restores: expected one");
    return;
  }
  const passwordOf = (...path: readonly string[]) => at(...path, "password") ?? at(...path, "passwordFile");
  const [dump, restore] = [passwordOf("database"), passwordOf("database", "restore")];
  if (at("database", "user") === at("database", "restore", "user"))
    complain(context, ["database", "restore", "user"], "is also who takes dumps; expected another user");
  const place = (path: readonly string[]) => [
    ...path,
    at(...path, "password") === undefined ? "passwordFile" : "password",
  ];
  if (dump !== undefined && dump === restore)
    complain(context, place(["database", "restore"]), "is also the secret of who takes dumps; expected another one");
  for (const path of [["database"], ["database", "restore"]])
    if (passwordOf(...path) === administrator)
      complain(context, place(path), "is the administrator's secret; expected one of this user's own");
};
