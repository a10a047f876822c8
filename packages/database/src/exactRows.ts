import { DatabaseDumpFailedError } from "@openemr-ops/core/errors";
import type { ByteSink } from "@openemr-ops/files/byteSink";
import { baseTable } from "@openemr-ops/openemr/sqlReader";
import type { DatabaseConnection } from "./connection.ts";
import type { SourceTable } from "./describeSource.ts";
import { quoteName } from "./identifiers.ts";
import { statementBytes } from "./statementBytes.ts";

const nullValue = Buffer.from("NULL");
const quote = Buffer.from("'");

const escapes = new Map<number, Buffer>([
  [0, Buffer.from("\\0")],
  [10, Buffer.from("\\n")],
  [13, Buffer.from("\\r")],
  [26, Buffer.from("\\Z")],
  [34, Buffer.from('\\"')],
  [39, Buffer.from("\\'")],
  [92, Buffer.from("\\\\")],
]);

/** A UTF-8 value as an SQL string on one line, with the escapes of mysql_real_escape_string. */
const quoted = (value: Buffer): Buffer => {
  const parts: Buffer[] = [quote];
  let start = 0;
  for (let at = 0; at < value.length; at++) {
    const escaped = escapes.get(value[at] ?? 0);
    if (!escaped) continue;
    parts.push(value.subarray(start, at), escaped);
    start = at + 1;
  }
  parts.push(value.subarray(start), quote);
  return Buffer.concat(parts);
};

const literal = (value: Buffer | null, kind: "number" | "float" | "binary" | "text"): Buffer => {
  if (value === null) return nullValue;
  if (kind === "number" || kind === "float") return value;
  if (kind === "binary") return value.length === 0 ? Buffer.from("''") : Buffer.from(`0x${value.toString("latin1")}`);
  return quoted(value);
};

/**
 * Writes the rows of one table as INSERT statements that carry FLOAT columns exactly.
 *
 * A dump program prints FLOAT with six digits, so most values come back as others. Here the server widens them to
 * DOUBLE (`+0e0`), whose text form is exact, and the nearest FLOAT to that text is the stored one again.
 *
 * @param connection inside a transaction that sees the dump's moment
 */
export const writeExactRows = async (
  connection: DatabaseConnection,
  table: SourceTable,
  sink: ByteSink,
): Promise<void> => {
  const columns = table.exactColumns ?? [];
  const selected = columns.map(({ name, kind }) => {
    const column = quoteName(name);
    if (kind === "float") return `${column}+0e0`;
    return kind === "binary" ? `HEX(${column})` : column;
  });
  const order = table.primaryKey.length > 0 ? ` ORDER BY ${table.primaryKey.map(quoteName).join(",")}` : "";
  const name = quoteName(table.name);
  const head = Buffer.from(
    `INSERT INTO ${name} (${columns.map((column) => quoteName(column.name)).join(",")}) VALUES\n`,
  );
  await sink(Buffer.from(`--\n-- Dumping data for table ${name}\n--\n\n`));
  let batch: Buffer[] = [];
  let size = 0;
  const flush = async () => {
    if (batch.length > 0) await sink(Buffer.concat([head, ...batch, Buffer.from(";\n")]));
    batch = [];
    size = 0;
  };
  for await (const row of connection.stream(`SELECT ${selected.join(",")} FROM ${baseTable(table.name)}${order}`)) {
    if (row.length !== columns.length)
      throw new DatabaseDumpFailedError(`table ${table.name} gave a row of another width`);
    const values: Buffer[] = [Buffer.from(batch.length === 0 ? "(" : ",\n(")];
    columns.forEach(({ kind }, index) => {
      if (index > 0) values.push(Buffer.from(","));
      values.push(literal(row[index] ?? null, kind));
    });
    values.push(Buffer.from(")"));
    const text = Buffer.concat(values);
    batch.push(text);
    size += text.length;
    if (size >= statementBytes) await flush();
  }
  await flush();
};
