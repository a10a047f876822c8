import { quoteName } from "@openemr-ops/database/identifiers";
import type { ExportedColumn, ExportedTablePlan, Profile, TableColumn, TableDescription } from "./profile.ts";

/** How columns leave that a profile keeps. What is not set is as with `false`, `bytes` and `keep`. */
export interface ColumnChoices {
  /** `TINYINT(1)` as booleans; otherwise as the numbers that they are. */
  readonly booleans?: boolean | undefined;
  /** `BINARY(16)` as 8-4-4-4-12 hexadecimal digits in lower case, or as its bytes. */
  readonly uuids?: "bytes" | "text" | undefined;
  readonly blobs?: "keep" | "drop" | undefined;
}

const isBlob = ({ dataType }: TableColumn): boolean => /^(?:tiny|medium|long)?blob$/.test(dataType);
const isUuid = ({ columnType }: TableColumn): boolean => /^binary\(16\)$/i.test(columnType);
const isFlag = ({ columnType }: TableColumn): boolean => /^tinyint\(1\)$/i.test(columnType);

const hyphensAt = [9, 14, 19, 24];

/** Put into the digits one by one: so NULL stays NULL. */
const uuidText = ({ name }: TableColumn): ExportedColumn => {
  const digits = hyphensAt.reduce((text, place) => `INSERT(${text}, ${place}, 0, '-')`, `HEX(${quoteName(name)})`);
  return { name, expression: `LOWER(${digits})`, treatment: "UUID as text" };
};

const flag = ({ name }: TableColumn): ExportedColumn => ({
  name,
  boolean: true,
  treatment: "boolean where all values are 0 or 1",
});

const blobsStay = 'exports.database.blobs is "drop"';

const chosen = (
  plan: ExportedTablePlan,
  table: TableDescription | undefined,
  { booleans, uuids, blobs }: ColumnChoices,
): ExportedTablePlan => {
  const columns: ExportedColumn[] = [];
  const dropped = [...plan.dropped];
  for (const column of plan.columns) {
    const isChanged = column.expression !== undefined || column.transform !== undefined;
    const own = isChanged ? undefined : table?.columns.find(({ name }) => name === column.name);
    if (own && blobs === "drop" && isBlob(own)) dropped.push({ name: own.name, reason: `a blob, and ${blobsStay}` });
    else if (own && uuids === "text" && isUuid(own)) columns.push(uuidText(own));
    else if (own && booleans && isFlag(own)) columns.push(flag(own));
    else columns.push(column);
  }
  return { ...plan, columns, dropped };
};

/** A profile whose unchanged columns leave as somebody chose. What the profile itself changes or leaves out stays so. */
export const withColumnChoices = (profile: Profile, choices: ColumnChoices): Profile => ({
  name: profile.name,
  plan: (tables) => {
    const { tables: plans, skipped } = profile.plan(tables);
    const described = new Map(tables.map((table) => [table.name, table]));
    const all = plans.map((plan) => chosen(plan, described.get(plan.table), choices));
    const [empty, leaving] = [true, false].map((isEmpty) =>
      all.filter(({ columns }) => (columns.length === 0) === isEmpty),
    );
    return {
      tables: leaving ?? [],
      skipped: [
        ...skipped,
        ...(empty ?? []).map(({ table }) => ({ table, reason: `nothing of it leaves but blobs, and ${blobsStay}` })),
      ],
    };
  },
});
