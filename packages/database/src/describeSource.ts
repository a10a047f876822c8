import { DatabaseMissingError, SourceLayoutError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "./connection.ts";
import { effectiveGrants, grantsWithRoles } from "./grants.ts";
import { hiddenPrograms } from "./hiddenPrograms.ts";
import { hasControlCharacter, quoteName } from "./identifiers.ts";
import { progressTable } from "./loadTarget.ts";
import { nameOnServer, schemasIn } from "./ownSchema.ts";
import { statementLogs } from "./statementLogs.ts";
import { type ExcessRight, excessOf, mayExecute } from "./userRights.ts";
import { viewOrder } from "./viewOrder.ts";
import { viewsThatRun } from "./viewsThatRun.ts";

export interface SourceColumn {
  readonly name: string;
  readonly kind: "number" | "float" | "bit" | "binary" | "text";
  /** Bytes, or text in UTF-8: the server sends it as it is stored, and `OCTET_LENGTH` is what arrives. */
  readonly sentAsStored: boolean;
}

export interface SourceTable {
  readonly name: string;
  readonly engine: string;
  /** MariaDB's: no rows, but a next value. */
  readonly sequence: boolean;
  /** It keeps rows that were changed or removed; dump programs leave them out. */
  readonly history?: true;
  /** A column takes its values from a sequence of the schema. */
  readonly drawsFromSequence?: true;
  readonly keyed: boolean;
  /**
   * Set for tables whose rows the program writes itself: their columns in order, without generated ones. A dump program prints
   * FLOAT with six digits; of MySQL's generated columns it prints values, which MySQL does not take back; it cannot lift
   * the time limit of MySQL's statements; and it names the schema where a column draws from a sequence.
   */
  readonly exactColumns?: readonly SourceColumn[];
  readonly primaryKey: readonly string[];
}

export type Product = "MariaDB" | "MySQL";

/** What a schema holds, as far as a dump has to know before it starts. */
export interface SourceDescription {
  readonly product: Product;
  readonly serverVersion: string;
  readonly characterSet: string;
  readonly collation: string;
  /** As in the server's settings: 1 folds the names of tables, 2 only compares them so. */
  readonly lowerCaseTableNames: number;
  /** Of tables and their columns, each with a table that has it. */
  readonly collations: readonly { readonly name: string; readonly table: string }[];
  /** Where the server writes down every statement. */
  readonly statementLogs: readonly string[];
  readonly tables: readonly SourceTable[];
  /** Each behind those it reads from. */
  readonly views: readonly string[];
  /** Views that refer to something absent, or that nobody can look at without running something: no dump can hold them. */
  readonly brokenViews: readonly string[];
  /** Views that run a stored function as soon as somebody looks at them, with that one's rights: nobody looked. */
  readonly runningViews: readonly string[];
  /** Tables with JSON of MySQL, whose values have types that no text shows, such as DECIMAL and DATETIME. */
  readonly jsonTables: readonly string[];
  /** What the user may do beyond what a dump needs. */
  readonly excess: readonly ExcessRight[];
  /** What the user would not see if it were there. */
  readonly hidden: ReturnType<typeof hiddenPrograms>;
  readonly routines: number;
  readonly triggers: number;
  readonly events: number;
}

const kinds: Readonly<Record<string, SourceColumn["kind"]>> = {
  tinyint: "number",
  smallint: "number",
  mediumint: "number",
  int: "number",
  bigint: "number",
  decimal: "number",
  double: "number",
  year: "number",
  float: "float",
  bit: "bit",
  binary: "binary",
  varbinary: "binary",
  tinyblob: "binary",
  blob: "binary",
  mediumblob: "binary",
  longblob: "binary",
  geometry: "binary",
  point: "binary",
  linestring: "binary",
  polygon: "binary",
  multipoint: "binary",
  multilinestring: "binary",
  multipolygon: "binary",
  geometrycollection: "binary",
  geomcollection: "binary",
  vector: "binary",
};

const count = async (connection: DatabaseConnection, from: string, schema: string): Promise<number> => {
  const [row] = await connection.rows(`SELECT COUNT(*) AS n FROM information_schema.${from} = ?`, [schema]);
  return Number(row?.n ?? 0);
};

/** It refers to something absent; it calls a function that we may not run; or it would write. */
const cannotBeLookedAt: ReadonlySet<number> = new Set([1356, 1370, 1792]);
const errnoOf = (error: unknown): number | undefined =>
  (error as { readonly cause?: { readonly errno?: number } }).cause?.errno;

/** @throws {SourceLayoutError} a name that no line-based dump can carry, or an event at which mariadb-dump stops for ever */
const assertDumpable = async (
  connection: DatabaseConnection,
  schema: string,
  tables: readonly (string | null | undefined)[],
) => {
  const columns = await connection.rows(
    "SELECT TABLE_NAME AS t FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND COLUMN_NAME REGEXP '[[:cntrl:]]' LIMIT 1",
    [schema],
  );
  if (tables.some((name) => hasControlCharacter(name ?? "")) || columns.length > 0)
    throw new SourceLayoutError(
      `the name of a table, or of a column${columns[0] ? ` of ${columns[0].t}` : ""}, holds a control character: rename it, no dump can carry it`,
    );
  const [event] = await connection.rows(
    "SELECT EVENT_NAME AS e FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? AND CONCAT(EVENT_NAME, '\n', EVENT_COMMENT, '\n', EVENT_DEFINITION) LIKE '%;;%' LIMIT 1",
    [schema],
  );
  if (event)
    throw new SourceLayoutError(
      `event ${event.e} holds two semicolons in a row, which mariadb-dump cannot write: put a space between them`,
    );
};

/**
 * Tables whose columns take values from sequences of the schema: no other expression of a table names a schema.
 *
 * @throws {SourceLayoutError} one is of another schema, which no dump of this one holds
 */
const tablesThatDraw = async (connection: DatabaseConnection, schema: string): Promise<ReadonlySet<string>> => {
  const rows = await connection.rows(
    "SELECT TABLE_NAME AS t, COLUMN_NAME AS c, COLUMN_DEFAULT AS d FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND COLUMN_DEFAULT LIKE '%`.`%'",
    [schema],
  );
  const drawing = rows.map(({ t, c, d }) => ({ table: t ?? "", column: c, schemas: schemasIn(d ?? "") }));
  for (const { table, column, schemas } of drawing) {
    const other = schemas.find((name) => name !== schema);
    if (other !== undefined)
      throw new SourceLayoutError(
        `table ${table} takes values of column ${column} from a sequence of schema ${other}, which is not in the dump: make the sequence in this schema, and the column's DEFAULT draw from it`,
      );
  }
  return new Set(drawing.filter(({ schemas }) => schemas.length > 0).map(({ table }) => table));
};

export interface DescribeOptions {
  /** The schema is a copy that we loaded: what its views hold has run when they were made, and its notes of the load are no table of it. */
  readonly ourCopy?: boolean;
  /** More tables whose rows the program writes itself. */
  readonly exact?: ReadonlySet<string>;
  /** The program also writes those of tables from this number of bytes on. */
  readonly exactFrom?: number;
}

/**
 * Reads the catalogue of a schema.
 *
 * @param connection read only: asking for the columns of a view can run functions that the view calls
 * @throws {DatabaseMissingError} fatal: the schema does not exist, holds no table, or the user sees none
 * @throws {SourceLayoutError} fatal: something in it cannot be dumped; names it
 */
export const describeSource = async (
  connection: DatabaseConnection,
  schemaName: string,
  { ourCopy = false, exact: alsoExact = new Set(), exactFrom = Number.POSITIVE_INFINITY }: DescribeOptions = {},
): Promise<SourceDescription> => {
  const schema = await nameOnServer(connection, schemaName);
  const grants = await effectiveGrants(connection);
  const [server] = await connection.rows(
    "SELECT VERSION() AS version, @@version_comment AS comment, @@lower_case_table_names AS folds",
  );
  const serverVersion = server?.version ?? "";
  const [charset] = await connection.rows(
    "SELECT DEFAULT_CHARACTER_SET_NAME AS cs, DEFAULT_COLLATION_NAME AS co FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
    [schema],
  );
  const names = await connection.rows(
    "SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_COLLATION AS collation, DATA_LENGTH AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME",
    [schema],
  );
  const base = names.filter(
    ({ name, type }) => type !== "VIEW" && type !== "SYSTEM VIEW" && !(ourCopy && name === progressTable),
  );
  if (base.length === 0)
    throw new DatabaseMissingError(
      `schema ${schema} holds no table that user may see: a dump of it would be empty. Check database.name and the user's rights (SELECT, LOCK TABLES, SHOW VIEW, TRIGGER, EVENT)`,
    );
  await assertDumpable(
    connection,
    schema,
    base.map(({ name }) => name),
  );

  const keyRows = await connection.rows(
    "SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND INDEX_NAME = 'PRIMARY' ORDER BY TABLE_NAME, SEQ_IN_INDEX",
    [schema],
  );
  const keys = Map.groupBy(keyRows, (row) => row.t ?? "");
  const product = /mariadb/i.test(`${serverVersion} ${server?.comment ?? ""}`) ? "MariaDB" : "MySQL";
  const { own, roles } = await grantsWithRoles(connection, product);
  const generated = product === "MySQL" ? " OR EXTRA REGEXP '(VIRTUAL|STORED) GENERATED'" : "";
  const exactRows = await connection.rows(
    `SELECT DISTINCT TABLE_NAME AS t FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND (DATA_TYPE = 'float'${generated})`,
    [schema],
  );
  const large = base
    .filter(({ type, bytes }) => type !== "SEQUENCE" && Number(bytes ?? 0) >= exactFrom)
    .map(({ name }) => name);
  const drawing = product === "MariaDB" ? await tablesThatDraw(connection, schema) : new Set<string>();
  const exact = new Set([...exactRows.map((row) => row.t), ...alsoExact, ...large, ...drawing]);
  const columnRows =
    exact.size === 0
      ? []
      : await connection.rows(
          "SELECT TABLE_NAME AS t, COLUMN_NAME AS c, DATA_TYPE AS d, CHARACTER_SET_NAME AS cs, EXTRA AS e FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION",
          [schema],
        );
  const columns = Map.groupBy(
    columnRows.filter((row) => !/GENERATED/i.test(row.e ?? "") || /DEFAULT_GENERATED/i.test(row.e ?? "")),
    (row) => row.t ?? "",
  );

  const jsonRows =
    product === "MySQL"
      ? await connection.rows(
          "SELECT DISTINCT TABLE_NAME AS t FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND DATA_TYPE = 'json' ORDER BY TABLE_NAME",
          [schema],
        )
      : [];
  const isBase = new Set(base.map(({ name }) => name));
  const collatedColumns = await connection.rows(
    "SELECT DISTINCT COLLATION_NAME AS collation, TABLE_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND COLLATION_NAME IS NOT NULL ORDER BY TABLE_NAME",
    [schema],
  );
  const collations = new Map(
    [...base, ...collatedColumns]
      .reverse()
      .flatMap(({ collation, name }) => (collation && name && isBase.has(name) ? [[collation, name] as const] : [])),
  );

  const definitions = await connection.rows(
    "SELECT TABLE_NAME AS name, VIEW_DEFINITION AS definition, SECURITY_TYPE AS security FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME",
    [schema],
  );
  const defined = definitions.map(({ name, definition, security }) => ({
    name: name ?? "",
    definition: definition ?? "",
    asInvoker: security === "INVOKER",
  }));
  const runningViews = !ourCopy && mayExecute(grants) ? viewsThatRun(schema, defined) : [];
  const views = viewOrder(
    schema,
    defined.filter(({ name }) => !runningViews.includes(name)),
  );
  const brokenViews: string[] = [];
  for (const view of views) {
    try {
      await connection.rows(`SHOW FIELDS FROM ${quoteName(schema)}.${quoteName(view)}`);
    } catch (error) {
      if (!cannotBeLookedAt.has(errnoOf(error) ?? 0)) throw error;
      brokenViews.push(view);
    }
  }

  return {
    product,
    serverVersion,
    characterSet: charset?.cs ?? "utf8mb4",
    collation: charset?.co ?? "utf8mb4_general_ci",
    lowerCaseTableNames: Number(server?.folds ?? 0),
    collations: [...collations].map(([name, table]) => ({ name, table })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    statementLogs: await statementLogs(connection),
    tables: base.map((row): SourceTable => {
      const name = row.name ?? "";
      const primaryKey = (keys.get(name) ?? []).map((key) => key.c ?? "");
      return {
        name,
        engine: row.engine ?? "unknown",
        sequence: row.type === "SEQUENCE",
        ...(row.type === "SYSTEM VERSIONED" ? { history: true } : {}),
        ...(drawing.has(name) ? { drawsFromSequence: true } : {}),
        keyed: primaryKey.length > 0,
        primaryKey,
        ...(exact.has(name)
          ? {
              exactColumns: (columns.get(name) ?? []).map((column): SourceColumn => {
                const kind = kinds[column.d ?? ""] ?? "text";
                const sentAsStored = kind === "binary" || (kind === "text" && /^(?:utf8|ascii)/.test(column.cs ?? ""));
                return { name: column.c ?? "", kind, sentAsStored };
              }),
            }
          : {}),
      };
    }),
    views: views.filter((view) => !brokenViews.includes(view)),
    brokenViews,
    runningViews,
    jsonTables: jsonRows.flatMap(({ t }) => (t && isBase.has(t) ? [t] : [])),
    excess: excessOf(own, roles),
    hidden: hiddenPrograms(grants, schema),
    routines: await count(connection, "ROUTINES WHERE ROUTINE_SCHEMA", schema),
    triggers: await count(connection, "TRIGGERS WHERE TRIGGER_SCHEMA", schema),
    events: await count(connection, "EVENTS WHERE EVENT_SCHEMA", schema),
  };
};
