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

interface Grant {
  readonly rights: readonly string[];
  readonly on: string;
  readonly to: string;
}

/** What SHOW GRANTS says, line by line. Passwords' digests, which stand behind the account, are not in it. */
const grantsIn = (lines: readonly string[]): readonly Grant[] =>
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

/** What a user may do beyond what a dump needs. @param lines what SHOW GRANTS says */
export const excessOf = (lines: readonly string[]): readonly ExcessRight[] =>
  grantsIn(lines).flatMap(({ rights, on, to }) => {
    const excess = rights.filter((right) => !harmless.has(kindOf(right)));
    return excess.length > 0 ? [{ rights: excess, on, revoke: `REVOKE ${excess.join(", ")} ON ${on} FROM ${to}` }] : [];
  });

/** Whether the user may run a stored function of anybody's, or a role may that the lines do not explain. */
export const mayExecute = (lines: readonly string[]): boolean =>
  grantsIn(lines).some(({ rights }) => rights.some((right) => ["EXECUTE", "ALL PRIVILEGES"].includes(right))) ||
  lines.some((line) => /^GRANT [`'"]/.test(line));
