import type { RoleGrants } from "./grants.ts";

/** Rights that a user has on one thing beyond what a dump needs, and the statement that takes them away. */
export interface ExcessRight {
  readonly rights: readonly string[];
  /** As GRANT writes it: `*.*`, `` `schema`.* ``, ``FUNCTION `schema`.`name` ``. */
  readonly on: string;
  readonly revoke: string;
}

/** What a dump needs, and what lets a user see more but change nothing. */
const harmless: ReadonlySet<string> = new Set([
  "BINLOG MONITOR",
  "EVENT",
  "LOCK TABLES",
  "PROCESS",
  "REPLICATION CLIENT",
  "SELECT",
  "SHOW CREATE ROUTINE",
  "SHOW DATABASES",
  "SHOW VIEW",
  "SHOW_ROUTINE",
  "SLAVE MONITOR",
  "REPLICA MONITOR",
  "TRIGGER",
  "USAGE",
]);

const name = "(?:\\*|`(?:[^`]|``)*`)";
const account = "(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|\\w+)(?:@(?:`(?:[^`]|``)*`|'(?:[^']|'')*'))?";
const grantLine = new RegExp(
  `^GRANT (.+?) ON ((?:(?:FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY|TABLE) )?${name}\\.${name}) TO (${account})(.*)$`,
  "s",
);
const proxyLine = new RegExp(`^GRANT PROXY ON (\\S+) TO (${account})`, "s");

/** Rights on one thing. */
export interface Grant {
  readonly rights: readonly string[];
  readonly on: string;
  readonly to: string;
}

/** What SHOW GRANTS says, line by line. Passwords' digests, which stand behind the account, are not in it. */
export const grantsIn = (lines: readonly string[]): readonly Grant[] =>
  lines.flatMap((line): Grant[] => {
    const proxy = proxyLine.exec(line);
    if (proxy) return [{ rights: ["PROXY"], on: proxy[1] ?? "", to: proxy[2] ?? "" }];
    const [, list = "", on = "", to = "", rest = ""] = grantLine.exec(line) ?? [];
    if (to === "") return [];
    const rights = list.split(/, (?![^(]*\))/);
    return [{ rights: / WITH GRANT OPTION/.test(rest) ? [...rights, "GRANT OPTION"] : rights, on, to }];
  });

/** Without the columns of a right on columns. */
const kindOf = (right: string): string => right.replace(/ ?\(.*\)$/s, "");

const excessIn = (lines: readonly string[]): readonly Grant[] =>
  grantsIn(lines).flatMap(({ rights, ...grant }) => {
    const excess = rights.filter((right) => !harmless.has(kindOf(right)));
    return excess.length > 0 ? [{ ...grant, rights: excess }] : [];
  });

/**
 * What a user may do beyond what a dump needs, itself or by its roles.
 *
 * @param own what SHOW GRANTS says of the user
 * @param roles what it says of each role; lines of MySQL are the user's, with what it has itself among them
 */
export const excessOf = (own: readonly string[], roles: readonly RoleGrants[] = []): readonly ExcessRight[] => {
  const itself = excessIn(own);
  const user = grantsIn(own)[0]?.to;
  const byRoles = roles.flatMap(({ role, lines }) =>
    excessIn(lines).flatMap(({ rights, on, to }): readonly Grant[] => {
      if (to !== user) return [{ rights, on, to }];
      const known = itself.find((grant) => grant.on === on)?.rights ?? [];
      const added = rights.filter((right) => !known.includes(right));
      return added.length > 0 ? [{ rights: added, on, to: role }] : [];
    }),
  );
  const found = [...itself, ...byRoles].map(({ rights, on, to }) => ({
    rights,
    on,
    revoke: `REVOKE ${rights.join(", ")} ON ${on} FROM ${to}`,
  }));
  return [...new Map(found.map((right) => [right.revoke, right])).values()]; // a role may come by two ways
};

/** Whether the user may run a stored function of anybody's, or a role may that the lines do not explain. */
export const mayExecute = (lines: readonly string[]): boolean =>
  grantsIn(lines).some(({ rights }) => rights.some((right) => ["EXECUTE", "ALL PRIVILEGES"].includes(right))) ||
  lines.some((line) => /^GRANT [`'"]/.test(line));
