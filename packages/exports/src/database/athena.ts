import type { ColumnType, ParquetColumn } from "../parquet/columnType.ts";

/** A table in the words of Athena and Glue. */
export interface CatalogueTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** A name in the files is no name there: columns are found by their place. */
  readonly byPlace: boolean;
}

/** Source: Amazon Athena, "Data types"; Parquet's types as its reader takes them. */
const typeOf = ({ physical, logical }: ColumnType): string => {
  if (logical?.kind === "string") return "string";
  if (logical?.kind === "date") return "date";
  if (logical?.kind === "timestamp") return "timestamp";
  if (logical?.kind === "decimal") return `decimal(${logical.precision},${logical.scale})`;
  return {
    BOOLEAN: "boolean",
    INT32: "int",
    INT64: "bigint",
    FLOAT: "float",
    DOUBLE: "double",
    BYTE_ARRAY: "binary",
    FIXED_LEN_BYTE_ARRAY: "binary",
  }[physical];
};

/** Names there are lower case, and have no other special character than `_`. */
const simple = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, "_")
    .slice(0, 255) || "_";

/** Makes names different that are the same now. */
const distinct = (names: readonly string[]): readonly string[] => {
  const seen = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let count = 2; seen.has(own); count++) own = `${name}_${count}`;
    seen.add(own);
    return own;
  });
};

/** Tables of an export as a catalogue takes them. */
export const catalogueTables = (
  tables: readonly { readonly name: string; readonly columns: readonly ParquetColumn[] }[],
): readonly CatalogueTable[] => {
  const names = distinct(tables.map(({ name }) => simple(name)));
  return tables.map(({ columns }, index) => {
    const own = distinct(columns.map(({ name }) => simple(name)));
    return {
      name: names[index] ?? "",
      columns: columns.map(({ type }, place) => ({ name: own[place] ?? "", type: typeOf(type) })),
      byPlace: columns.some(({ name }, place) => name.toLowerCase() !== own[place]),
    };
  });
};

const quoted = (name: string): string => `\`${name}\``;
const text = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const hive = "org.apache.hadoop.hive.ql.io.parquet";

/** The statement that makes a table known to Athena. Source: Amazon Athena, "CREATE TABLE", "Parquet SerDe". */
export const createTable = ({ name, columns, byPlace }: CatalogueTable, location: string): string =>
  [
    `CREATE EXTERNAL TABLE IF NOT EXISTS ${quoted(name)} (`,
    columns.map((column) => `  ${quoted(column.name)} ${column.type}`).join(",\n"),
    ")",
    ...(byPlace
      ? [
          `ROW FORMAT SERDE '${hive}.serde.ParquetHiveSerDe'`,
          "WITH SERDEPROPERTIES ('parquet.column.index.access'='true')",
          `STORED AS INPUTFORMAT '${hive}.MapredParquetInputFormat'`,
          `OUTPUTFORMAT '${hive}.MapredParquetOutputFormat'`,
        ]
      : ["STORED AS PARQUET"]),
    `LOCATION ${text(`${location}/`)}`,
    "TBLPROPERTIES ('parquet.compression'='ZSTD');",
  ].join("\n");
