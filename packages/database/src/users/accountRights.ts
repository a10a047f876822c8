import type { DatabaseConnection } from "../connection.ts";
import { serverErrorOf } from "../errors.ts";
import { grantsIn } from "../userRights.ts";
import { type Account, accountIn } from "./account.ts";
import { type ServerKind, schemaIn } from "./neededRights.ts";

type Rights = ReadonlyMap<string, ReadonlySet<string>>;

/** What one account may do, without the right to pass it on. */
export interface AccountRights {
  /** By what they are on, as GRANT writes it. */
  readonly rights: Rights;
  /** What rights on all schemas leave out of some: MySQL's partial revokes. */
  readonly without: Rights;
  /** As GRANT writes them. */
  readonly roles: ReadonlySet<string>;
  /** Roles that are active after a login. */
  readonly defaults: ReadonlySet<string>;
}

const all = "ALL PRIVILEGES";
const passOn = "GRANT OPTION";
const notCopied: ReadonlySet<string> = new Set(["USAGE", "PROXY"]);

const collect = (found: readonly { readonly on: string; readonly rights: readonly string[] }[]): Rights => {
  const rights = new Map<string, Set<string>>();
  for (const { on, rights: list } of found) {
    const known = rights.get(on) ?? new Set<string>();
    for (const right of list) if (!notCopied.has(right)) known.add(right);
    if (known.size > 0) rights.set(on, known);
  }
  return rights;
};

const name = "`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?";
const roleLine = new RegExp(`^GRANT (${name}(?:, ?${name})*) TO `);
const defaultLine = new RegExp(`^SET DEFAULT ROLE (${name}) FOR `);
const revokeLine = /^REVOKE (.+) ON (`(?:[^`]|``)*`\.\*) FROM /s;

const namesIn = (list: string | undefined): readonly string[] => list?.match(new RegExp(name, "g")) ?? [];

/** Reads what SHOW GRANTS FOR says of one account. */
export const parseRights = (lines: readonly string[], defaults: readonly string[] = []): AccountRights => ({
  rights: collect(grantsIn(lines)),
  without: collect(
    lines.flatMap((line) => {
      const [, list, on = ""] = revokeLine.exec(line) ?? [];
      return list === undefined ? [] : [{ rights: list.split(", "), on }];
    }),
  ),
  roles: new Set(lines.flatMap((line) => namesIn(roleLine.exec(line)?.[1]))),
  defaults: new Set([...defaults, ...lines.flatMap((line) => namesIn(defaultLine.exec(line)?.[1]))]),
});

/** The server knows no such account, or ignores it: one for the name of a host, where it looks up no names. */
const noSuchAccount = 1141;

/** What an account may do, as the administrator sees it; `undefined` for one that the server ignores. */
export const rightsOf = async (
  admin: DatabaseConnection,
  account: Account,
  product: ServerKind["product"],
): Promise<AccountRights | undefined> => {
  const rows = await admin.rows(`SHOW GRANTS FOR ${accountIn(account)}`).catch((error: unknown) => {
    if (serverErrorOf(error) !== noSuchAccount) throw error;
    return undefined;
  });
  if (!rows) return undefined;
  const defaults =
    product === "MariaDB"
      ? []
      : await admin.rows(
          "SELECT DEFAULT_ROLE_USER AS user, DEFAULT_ROLE_HOST AS host FROM mysql.default_roles WHERE USER = ? AND HOST = ?",
          [account.user, account.host],
        );
  return parseRights(
    rows.map((row) => Object.values(row)[0] ?? ""),
    defaults.map(({ user, host }) => accountIn({ user: user ?? "", host: host ?? "" })),
  );
};

/** Rights by which an account administers the server. */
const administrative: readonly string[] = [all, "SUPER", "CREATE USER"];

/** Whether an account administers the server. */
export const isAdministrator = ({ rights }: AccountRights): boolean =>
  administrative.some((right) => rights.get("*.*")?.has(right));

/** All rights on some schemas, and nothing else. */
export const allOnSchemas = (schemas: readonly string[], server: Pick<ServerKind, "literal">): AccountRights => ({
  rights: new Map(schemas.map((schema) => [`${schemaIn(schema, server)}.*`, new Set([all])])),
  without: new Map(),
  roles: new Set(),
  defaults: new Set(),
});

const less = (some: ReadonlySet<string> = new Set(), others: ReadonlySet<string> = new Set()): readonly string[] =>
  [...some].filter((one) => !others.has(one));

/** ALL is no list: to have less, it is taken away first. */
const betweenRights = (have: ReadonlySet<string>, wanted: ReadonlySet<string>, on: string, account: string) => {
  const narrow = have.has(all) && !wanted.has(all);
  const held: ReadonlySet<string> = narrow ? new Set(less(have, new Set([all]))) : have;
  const missing = wanted.has(all) ? (have.has(all) ? [] : [all]) : less(wanted, held);
  const excess = less(held, wanted).filter((right) => !wanted.has(all) || right === passOn);
  return {
    grant: [
      ...(narrow ? [`REVOKE ${all} ON ${on} FROM ${account}`] : []),
      ...(missing.length > 0 ? [`GRANT ${missing.join(", ")} ON ${on} TO ${account}`] : []),
    ],
    revoke: excess.length > 0 ? [`REVOKE ${excess.join(", ")} ON ${on} FROM ${account}`] : [],
  };
};

const withoutPassingOn = (rights: ReadonlySet<string> = new Set()): ReadonlySet<string> =>
  new Set(less(rights, new Set([passOn])));

/**
 * The statements after which an account may do what is wanted: what is missing comes first, what is too much goes last. The
 * right to pass rights on is never given.
 */
export const statementsBetween = (
  have: AccountRights,
  wanted: AccountRights,
  to: Account,
  product: ServerKind["product"],
): readonly string[] => {
  const account = accountIn(to);
  const things = [...new Set([...wanted.rights.keys(), ...have.rights.keys()])];
  const changes = things.map((on) =>
    betweenRights(have.rights.get(on) ?? new Set(), withoutPassingOn(wanted.rights.get(on)), on, account),
  );
  const left = [...new Set([...wanted.without.keys(), ...have.without.keys()])].flatMap((on) => {
    const [more, fewer] = [
      less(wanted.without.get(on), have.without.get(on)),
      less(have.without.get(on), wanted.without.get(on)),
    ];
    return [
      ...(more.length > 0 ? [`REVOKE ${more.join(", ")} ON ${on} FROM ${account}`] : []),
      ...(fewer.length > 0 ? [`GRANT ${fewer.join(", ")} ON ${on} TO ${account}`] : []),
    ];
  });
  const given = less(wanted.roles, have.roles).map((role) => `GRANT ${role} TO ${account}`);
  const taken = less(have.roles, wanted.roles).map((role) => `REVOKE ${role} FROM ${account}`);
  const defaults = [...wanted.defaults];
  const same = defaults.length === have.defaults.size && less(wanted.defaults, have.defaults).length === 0;
  const makeDefault = `SET DEFAULT ROLE ${defaults.length > 0 ? defaults.join(", ") : "NONE"} ${product === "MariaDB" ? "FOR" : "TO"} ${account}`;
  return [
    ...changes.flatMap(({ grant }) => grant),
    ...left,
    ...given,
    ...(same ? [] : [makeDefault]),
    ...taken,
    ...changes.flatMap(({ revoke }) => revoke),
  ];
};
