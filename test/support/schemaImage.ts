import { type ServerAddress, sqlName } from "@openemr-ops/local/servers/databaseServer";
import mysql from "mysql2/promise";

/** All that a schema holds, read without the product: two copies are equal when their images are. */
export interface SchemaImage {
  /** CREATE statement of each table, view and sequence by name. */
  readonly created: Readonly<Record<string, string>>;
  /** Rows of each table, each as one text, sorted: without a primary key they have no order. */
  readonly rows: Readonly<Record<string, readonly string[]>>;
  readonly triggers: readonly unknown[];
  readonly routines: readonly unknown[];
  readonly events: readonly unknown[];
  readonly characterSet: string;
}

type Column = { readonly name: string; readonly type: string };
type Found = Readonly<Record<string, string | null>>;

const withoutDefiner = (sql: string): string =>
  sql.replace(/ ?DEFINER=([`"])(?:(?!\1).|\1\1)*\1@\1(?:(?!\1).|\1\1)*\1/, "");
/** MySQL prints a column's character set once it was given explicitly, as by a restore; its collation says the same. */
const withoutCharacterSet = (sql: string): string => sql.replace(/ CHARACTER SET \w+(?= COLLATE )/g, "");
const pick = (row: Found | undefined, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, withoutDefiner(row?.[name] ?? "")]));

/** Digits of numbers, bytes of all else; long values as their digest. */
const expressionOf = ({ name, type }: Column): string => {
  const column = sqlName(name);
  if (type === "float") return `CAST(${column}+0e0 AS CHAR)`;
  if (type === "enum" || type === "set") return `CONCAT(${column}+0, ' ', HEX(${column}))`;
  if (/^(?:tiny|small|medium|big)?int$|^decimal$|^double$|^year$/.test(type)) return `CAST(${column} AS CHAR)`;
  if (/^date|^time/.test(type)) return `CAST(${column} AS CHAR)`;
  return `IF(LENGTH(${column}) > 1000, SHA2(${column}, 256), HEX(${column}))`;
};

const rowsOf = async (connection: mysql.Connection, table: string, columns: readonly Column[]) => {
  const [rows] = await connection.query<mysql.RowDataPacket[][]>({
    sql: `SELECT ${columns.map(expressionOf).join(",")} FROM ${sqlName(table)}`,
    rowsAsArray: true,
  });
  return rows.map((row) => JSON.stringify(row)).sort();
};

/** Reads a schema as root, in its own words: values by their bytes, programs by what SHOW CREATE says of them. */
export const schemaImage = async (
  { socket, user, password }: Pick<ServerAddress, "socket" | "user" | "password">,
  schema: string,
): Promise<SchemaImage> => {
  const connection = await mysql.createConnection({
    socketPath: socket,
    user,
    password,
    database: schema,
    charset: "utf8mb4",
    typeCast: (field) => field.string(),
  });
  const ask = async (sql: string, values: readonly string[] = []): Promise<readonly Found[]> => {
    const [found] = await connection.query<mysql.RowDataPacket[]>(sql, [...values]);
    return found as Found[];
  };
  const each = async (from: string, name: string, show: string, kept: readonly string[]) => {
    const images: unknown[] = [];
    for (const { found = "" } of await ask(`SELECT ${name} AS found FROM information_schema.${from} = ? ORDER BY 1`, [
      schema,
    ]))
      images.push({ found, ...pick((await ask(`SHOW CREATE ${show} ${sqlName(found ?? "")}`))[0], kept) });
    return images;
  };
  const context = ["sql_mode", "character_set_client", "collation_connection", "Database Collation"];
  try {
    await connection.query("SET time_zone = '+00:00'");
    const created: Record<string, string> = {};
    const rows: Record<string, readonly string[]> = {};
    const tables = await ask(
      "SELECT TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?",
      [schema],
    );
    for (const { name, type } of tables) {
      const table = name ?? "";
      try {
        const [shown] = await ask(`SHOW CREATE ${type === "VIEW" ? "VIEW" : "TABLE"} ${sqlName(table)}`);
        created[table] = withoutCharacterSet(withoutDefiner(shown?.["Create Table"] ?? shown?.["Create View"] ?? ""));
        const columns = await ask(
          "SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
          [schema, table],
        );
        rows[table] =
          columns.length === 0
            ? ["a view that refers to something absent"]
            : await rowsOf(
                connection,
                table,
                columns.map((column) => ({ name: column.name ?? "", type: column.type ?? "" })),
              );
      } catch (error) {
        if ((error as { errno?: number }).errno !== 1449) throw error;
        rows[table] = ["a view whose definer is gone"];
      }
    }
    const [database] = await ask(
      "SELECT DEFAULT_COLLATION_NAME AS collation FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
      [schema],
    );
    return {
      created,
      rows,
      triggers: [
        ...(await each("TRIGGERS WHERE TRIGGER_SCHEMA", "TRIGGER_NAME", "TRIGGER", [
          "SQL Original Statement",
          ...context,
        ])),
        ...(await ask(
          "SELECT TRIGGER_NAME AS name, ACTION_ORDER AS place FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY 1",
          [schema],
        )),
      ],
      routines: [
        ...(await each("ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_SCHEMA", "ROUTINE_NAME", "PROCEDURE", [
          "Create Procedure",
          ...context,
        ])),
        ...(await each("ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA", "ROUTINE_NAME", "FUNCTION", [
          "Create Function",
          ...context,
        ])),
      ],
      events: await each("EVENTS WHERE EVENT_SCHEMA", "EVENT_NAME", "EVENT", ["Create Event", "time_zone", ...context]),
      characterSet: database?.collation ?? "",
    };
  } finally {
    await connection.end();
  }
};
