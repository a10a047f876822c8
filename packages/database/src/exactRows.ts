import { DatabaseDumpFailedError } from "@openemr-ops/core/errors";
import type { ByteSink } from "@openemr-ops/files/byteSink";
import { baseTable } from "@openemr-ops/openemr/sqlReader";
import type { DatabaseConnection } from "./connection.ts";
import type { SourceColumn, SourceTable } from "./describeSource.ts";
import { quoteName } from "./identifiers.ts";
import type { RawRow } from "./rowStream.ts";
import { type SqlWriter, sqlWriter } from "./sqlLiterals.ts";
import { statementBytes } from "./statementBytes.ts";

/** What is asked for a column. Functions give NULL where their result is longer than `max_allowed_packet`: none of a long value. */
const selected = ({ name, kind }: SourceColumn): string => {
  const column = quoteName(name);
  if (kind === "float") return `${column}+0e0`;
  return kind === "bit" ? `HEX(${column})` : column;
};

/** What the server says of a row beside its values: 0 or 1 for each column, 1 for NULL; and bytes of the values that it sends as they are. */
const evidence = (columns: readonly SourceColumn[]): readonly string[] => {
  const lengths = columns
    .filter(({ sentAsStored }) => sentAsStored)
    .map(({ name }) => `COALESCE(OCTET_LENGTH(${quoteName(name)}),0)`);
  return [
    `CONCAT(${columns.map(({ name }) => `${quoteName(name)} IS NULL`).join(",")})`,
    lengths.length > 0 ? lengths.join("+") : "0",
  ];
};

const one = 49;

/** @throws {DatabaseDumpFailedError} the values are not those that the server's own figures describe */
const assertRow = (table: SourceTable, columns: readonly SourceColumn[], row: RawRow): void => {
  const refuse = (what: string): never => {
    throw new DatabaseDumpFailedError(
      `table ${table.name} gave ${what}. The dump would lack values: see the server's log, and try again`,
    );
  };
  if (row.length !== columns.length + 2) refuse("a row of another width");
  const nulls = row[columns.length];
  let byteLength = 0;
  columns.forEach(({ name, sentAsStored }, index) => {
    const value = row[index];
    if (sentAsStored) byteLength += value?.length ?? 0;
    if (!value !== (nulls?.[index] === one)) refuse(`NULL for a value of column ${name}, or a value for NULL`);
  });
  if (`${byteLength}` !== row[columns.length + 1]?.toString()) refuse("a row with another number of bytes than it has");
};

const writeValue = (to: SqlWriter, value: Buffer | null, kind: SourceColumn["kind"]): Promise<void> | undefined => {
  if (value === null) return to.text("NULL");
  if (kind === "number" || kind === "float") return to.text(value);
  if (kind === "bit") return to.text(`0x${value.toString("latin1")}`);
  return kind === "binary" ? to.hex(value) : to.quoted(value);
};

/**
 * Writes the rows of one table as INSERT statements that carry FLOAT columns exactly.
 *
 * A dump program prints FLOAT with six digits, so most values come back as others. Here the server widens them to
 * DOUBLE (`+0e0`), whose text form is exact, and the nearest FLOAT to that text is the stored one again. All other values
 * come as they are stored. Beside each row the server says which values are NULL and how many bytes they have, and at the
 * end how many rows there are.
 *
 * @param connection inside a transaction that sees the dump's moment
 * @throws {DatabaseDumpFailedError} what came is not what the server says is there
 */
export const writeExactRows = async (
  connection: DatabaseConnection,
  table: SourceTable,
  sink: ByteSink,
): Promise<void> => {
  const columns = table.exactColumns ?? [];
  const order = table.primaryKey.length > 0 ? ` ORDER BY ${table.primaryKey.map(quoteName).join(",")}` : "";
  const name = quoteName(table.name);
  const from = `FROM ${baseTable(table.name)}`;
  const head = Buffer.from(
    `INSERT INTO ${name} (${columns.map((column) => quoteName(column.name)).join(",")}) VALUES\n`,
  );
  const to = sqlWriter(sink);
  await to.text(`--\n-- Dumping data for table ${name}\n--\n\n`);
  await to.flush();
  let begun: number | undefined; // where the rows of this statement begin
  let rows = 0;
  const endStatement = async (): Promise<void> => {
    if (begun === undefined) return;
    await to.text(";\n");
    await to.flush();
    begun = undefined;
  };
  const asked = [...columns.map(selected), ...evidence(columns)].join(",");
  for await (const row of connection.stream(`SELECT ${asked} ${from}${order}`)) {
    assertRow(table, columns, row);
    let waiting = to.text(begun === undefined ? head : ",\n");
    if (waiting) await waiting;
    begun ??= to.written();
    for (const [index, { kind }] of columns.entries()) {
      waiting = to.text(index === 0 ? "(" : ",");
      if (waiting) await waiting;
      waiting = writeValue(to, row[index] ?? null, kind);
      if (waiting) await waiting;
    }
    await to.text(")");
    rows++;
    // By their exact length: cuts of old and new dumps then fall on the same row again soon after a change.
    if (to.written() - begun >= statementBytes) await endStatement();
  }
  await endStatement();
  if (table.engine !== "InnoDB") return; // others have no snapshot, and may have changed meanwhile
  const [counted] = await connection.rows(`SELECT COUNT(*) AS n ${from}`);
  if (counted?.n !== `${rows}`)
    throw new DatabaseDumpFailedError(
      `table ${table.name} gave ${rows} rows and has ${counted?.n}: see the server's log, and try again`,
    );
};
