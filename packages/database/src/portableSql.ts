const name = /`(?:[^`]|``)*`/.source;
const user = /(?:`(?:[^`]|``)*`|"(?:[^"]|"")*")/.source; // the latter with ANSI_QUOTES
const definer = `DEFINER=${user}(?:@${user})?`; // a role has no host
const viewDefiner = new RegExp(`^(/\\*!\\d{5} )${definer} `);
const createComment = new RegExp(`^(/\\*!\\d{5} CREATE\\*/ )/\\*!\\d{5} ${definer}\\*/ `);
const createDefiner = new RegExp(`^CREATE ${definer} `);
const bodyBegins = /^(?:CREATE |\/\*!\d{5} CREATE\*\/ )/;
const bodyEnds = /^;;$|\*\/ ?;;$/;

const stringOrName = /'(?:[^'\\]|\\.|'')*'|`(?:[^`]|``)*`/.source;

/** `schema`.`table`.`column` without its schema: so the server writes columns of a view whose definer is gone. */
const portableView = (line: string, schema: string): string => {
  const qualifier = `\`${schema.replaceAll("`", "``")}\`.`;
  const columns = new RegExp(`(${name}\\.)(?=${name}\\.${name})|${stringOrName}`, "g");
  return line.replace(columns, (found, qualified?: string) => (qualified === qualifier ? "" : found));
};

const portableLine = (line: string, schema: string): string =>
  (/^\/\*!\d{5} VIEW `/.test(line) ? portableView(line, schema) : line)
    .replace(viewDefiner, "$1")
    .replace(createComment, "$1")
    .replace(createDefiner, "CREATE ")
    .replace(/^ALTER DATABASE `(?:[^`]|``)*` /, "ALTER DATABASE ")
    .replace(/^-- Dumping (events|routines) for database .*$/, "-- Dumping $1");

/**
 * Takes out of mariadb-dump's text what ties it to its source, for the target has another host, other users and perhaps
 * another schema: the line that makes clients of MySQL stop, the host, who defined a program, and the schema's name in
 * views and where its character set changes for one program (else a restore beside the live schema would alter the live one).
 *
 * Bodies of routines, triggers and events stay as they are, whatever their lines look like.
 *
 * @param sql one character a byte (Latin-1): a program comes in the character set it was written in
 * @param schema the source's name, in the same form
 */
export const portableSql = (sql: string, schema: string): string => {
  let delimited = false;
  let body = false;
  return sql
    .replace(/^\/\*M!999999[^\n]*\n/, "")
    .replace(/^-- Host: .*\n/m, "") // the first one is mariadb-dump's own
    .split("\n")
    .map((line) => {
      if (body) {
        if (bodyEnds.test(line)) body = false;
        return line;
      }
      if (line === "DELIMITER ;;") delimited = true;
      if (line === "DELIMITER ;") delimited = false;
      if (delimited && bodyBegins.test(line)) body = !bodyEnds.test(line);
      return portableLine(line, schema);
    })
    .join("\n");
};
