import { type ServerAddress, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { type Family, familyOf } from "./columnFamilies.ts";
import { type ColumnType, columnTypesOf } from "./columnTypes.ts";
import { numbers } from "./numbers.ts";

type Product = ServerAddress["product"];

/** A table of any shape, as SQL. */
export interface AnyTable {
  readonly name: string;
  /** The statement that makes it, and those that fill it. Rows that break a key are passed over. */
  readonly statements: readonly string[];
}

const awkwardNames = ["", "a`b", "it's", "x, (y)", "KEY", "select", 'a"b', "ü漢", "-- x", "/*", ");", "VALUES"];
const anyName = fc.constantFrom(...awkwardNames);
const anyComment = fc.option(
  fc.constantFrom(
    "it's, `a` (b)",
    'a "quoted" \\ text',
    ") ENGINE=MyISAM",
    "PRIMARY KEY (`c`), AUTO_INCREMENT",
    "\n-- Dumping data for table `x`\n",
    "/*!50000 x */;",
    "ü漢 \\' '",
  ),
  { freq: 2, nil: undefined },
);
const commentOf = (comment: string | undefined): string =>
  comment === undefined ? "" : ` COMMENT ${sqlString(comment)}`;

interface Column {
  readonly name: string;
  /** The same, as SQL. */
  readonly sql: string;
  readonly type: string;
  readonly family: Family;
  readonly values: fc.Arbitrary<string>;
  readonly notNull: boolean;
  readonly hidden: boolean;
  readonly byDefault: string | undefined;
  readonly checked: boolean;
  readonly comment: string | undefined;
  readonly computed?: { readonly type: string; readonly sql: string; readonly kept: boolean; readonly hidden: boolean };
}

const columnOf = ({ type, values }: ColumnType, index: number): fc.Arbitrary<Column> => {
  const family = familyOf(type);
  const defaults = family.defaults.map((value) => value.replaceAll("@", /\(\d\)/.exec(type)?.[0] ?? ""));
  const sometimes = <Value>(one: fc.Arbitrary<Value>) => fc.option(one, { freq: 2, nil: undefined });
  return fc
    .record({
      name: anyName.map((name) => `c${index}${name}`),
      notNull: fc.boolean(),
      hidden: fc.boolean(),
      byDefault: defaults.length > 0 ? sometimes(fc.constantFrom(...defaults)) : fc.constant(undefined),
      checked: fc.boolean(),
      comment: anyComment,
      computed: sometimes(
        fc.record({ by: fc.constantFrom(...family.computed), kept: fc.boolean(), hidden: fc.boolean() }),
      ),
    })
    .map(({ computed, hidden, notNull, ...made }) => {
      const sql = sqlName(made.name);
      const [computedType = "", expression = ""] = computed?.by ?? [];
      return {
        ...made,
        sql,
        type,
        family,
        values,
        notNull,
        hidden: hidden && (!notNull || made.byDefault !== undefined), // MariaDB asks for it
        ...(computed
          ? { computed: { ...computed, type: computedType, sql: expression.replace(/\bc\b/g, () => sql) } }
          : {}),
      };
    });
};

/** A part of a key. */
const partOf = ({ sql, family }: Column, length: number): string =>
  family.prefix ? `${sql}(${Math.min(length, family.prefix)})` : sql;

/** What column `n` is to the keys. */
const countings = ["leads", "follows", "unique", "plain", "no key"] as const;

interface Shape {
  readonly columns: readonly Column[];
  readonly counting: (typeof countings)[number];
  readonly counts: boolean;
  readonly engine: string;
  readonly keys: readonly {
    readonly kind: "KEY" | "UNIQUE KEY";
    readonly columns: readonly Column[];
    readonly length: number;
    readonly down: boolean;
    readonly comment: string | undefined;
    readonly unused: boolean;
  }[];
  readonly fullText: Column | undefined;
  readonly onComputed: boolean;
  readonly wholeUnique: boolean;
  readonly order: readonly number[];
  readonly comment: string | undefined;
  readonly next: number | undefined;
  readonly rows: number;
}

const shapeOf = (columns: readonly Column[], rows: fc.Arbitrary<number>): fc.Arbitrary<Shape> => {
  const keyable = columns.filter(({ family }) => family.prefix !== undefined);
  const searchable = columns.filter(({ family }) => family.fullText);
  const key = fc.record({
    kind: fc.constantFrom("KEY" as const, "UNIQUE KEY" as const),
    columns: fc.shuffledSubarray(keyable, {
      minLength: Math.min(1, keyable.length),
      maxLength: Math.min(3, keyable.length),
    }),
    length: fc.integer({ min: 1, max: 5 }),
    down: fc.boolean(),
    comment: anyComment,
    unused: fc.boolean(),
  });
  return fc.record({
    columns: fc.constant(columns),
    counting: fc.constantFrom(...countings),
    counts: fc.boolean(),
    engine: fc.constantFrom("InnoDB", "InnoDB", "InnoDB", "MyISAM"),
    keys: keyable.length > 0 ? fc.array(key, { maxLength: 3 }) : fc.constant([]),
    fullText:
      searchable.length > 0
        ? fc.option(fc.constantFrom(...searchable), { nil: undefined, freq: 1 })
        : fc.constant(undefined),
    onComputed: fc.boolean(),
    wholeUnique: fc.boolean(),
    order: fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }),
    comment: anyComment,
    next: fc.option(fc.integer({ min: 30_000, max: 32_000 }), { nil: undefined }),
    rows,
  });
};

/** Puts things in the order of numbers that belong to them. */
const inOrder = <Thing>(things: readonly Thing[], order: readonly number[]): readonly Thing[] =>
  things
    .map((thing, index) => [order[index] ?? 0, thing] as const)
    .sort(([one], [other]) => one - other)
    .map(([, thing]) => thing);

/** Rows with NULL where it may be, and values that the column itself has to give. */
const rowOf = (columns: readonly Column[]): fc.Arbitrary<readonly string[]> =>
  fc.tuple(
    ...columns.map(({ values, notNull, byDefault }) =>
      fc.oneof(
        { weight: 8, arbitrary: values },
        ...(notNull ? [] : [{ weight: 1, arbitrary: fc.constant("NULL") }]),
        ...(byDefault === undefined ? [] : [{ weight: 1, arbitrary: fc.constant("DEFAULT") }]),
      ),
    ),
  );

/** MariaDB 10.11 makes no MyISAM table with a BIT column and a computed one that it does not store (ER_NOT_FORM_FILE). */
const makeable = ({ columns, engine }: Shape): string =>
  columns.some(({ type }) => type.startsWith("bit")) && columns.some(({ computed }) => computed?.kept === false)
    ? "InnoDB"
    : engine;

/** Rows that are sent; of a table with more, the others are made of these. */
const mostSent = 40;

const tableOf =
  (product: Product, number: number) =>
  (shape: Shape): fc.Arbitrary<AnyTable> => {
    const { order, counting, rows } = shape;
    const engine = makeable(shape);
    const onInnoDb = engine === "InnoDB";
    const large = rows > mostSent;
    const lead = shape.columns.find(({ family }) => family.prefix !== undefined);
    const follows = counting === "follows" && lead !== undefined;
    const columns = shape.columns.map((column) =>
      column === lead && follows
        ? { ...column, notNull: true, hidden: column.hidden && column.byDefault !== undefined }
        : column,
    );
    const counts = shape.counts && counting !== "plain" && counting !== "no key";
    const n = `n int NOT NULL${counts ? " AUTO_INCREMENT" : ""}`;
    const definitions = columns.map(({ sql, type, notNull, hidden, byDefault, comment, computed }, index) => {
      const invisible = hidden ? " INVISIBLE" : "";
      const value = byDefault === undefined ? "" : ` DEFAULT ${byDefault}`;
      const own = `${sql} ${type} ${notNull ? "NOT NULL" : "NULL"}${value}${invisible}${commentOf(comment)}`;
      if (!computed) return [own];
      const kept = computed.kept ? "STORED" : "VIRTUAL";
      return [
        own,
        `g${index} ${computed.type} GENERATED ALWAYS AS (${computed.sql}) ${kept}${computed.hidden ? " INVISIBLE" : ""} COMMENT 'computed, (it''s)'`,
      ];
    });
    const checks = columns
      .filter(({ checked }) => checked)
      .map(({ sql, family }, index) => {
        const name = sqlName(`t${number} check ${index} it's (\`a\`)`);
        return `CONSTRAINT ${name} CHECK (${family.check.replace(/\bc\b/g, () => sql)})`;
      });
    const primary = {
      leads: ["PRIMARY KEY (n)"],
      follows: follows ? [`PRIMARY KEY (${partOf(lead, 5)}, n)`, "KEY `n's` (n)"] : ["PRIMARY KEY (n)"],
      unique: ["UNIQUE KEY n (n)"],
      plain: ["PRIMARY KEY (n)"],
      "no key": [],
    }[counting];
    const unusedWord = product === "MariaDB" ? " IGNORED" : " INVISIBLE";
    const keys = shape.keys.map(({ kind, columns: parts, length, down, comment, unused }, index) => {
      const direction = down && onInnoDb ? " DESC" : "";
      const unique = kind === "UNIQUE KEY";
      const listed = [
        ...parts.map((column) => `${partOf(column, length)}${direction}`),
        ...(large && unique ? ["n"] : []),
      ];
      const rest = `${commentOf(comment)}${unused && !unique ? unusedWord : ""}`;
      return `${kind} ${sqlName(`k${index} (\`b\`), it's`)} (${listed.join(", ")})${rest}`;
    });
    const computedKeys = columns.flatMap(({ computed }, index) =>
      computed && shape.onComputed && onInnoDb ? [`KEY g${index} (g${index}, n)`] : [],
    );
    const texts = columns.find(({ name }) => name === shape.fullText?.name);
    const fullText = texts ? [`FULLTEXT KEY words (${texts.sql})`] : [];
    const hashed =
      texts && shape.wholeUnique && product === "MariaDB" && !large ? [`UNIQUE KEY whole (${texts.sql})`] : [];
    const [own, computed] = [0, 1].map((place) => definitions.flatMap((of) => of[place] ?? []));
    // MySQL's may refer to no later column that has an expression.
    const listed =
      product === "MySQL"
        ? [...inOrder(own ?? [], order), ...inOrder(computed ?? [], order)]
        : inOrder([...(own ?? []), ...(computed ?? [])], order);
    const all = [
      n,
      ...listed,
      ...inOrder([...primary, ...keys, ...computedKeys, ...fullText, ...hashed, ...checks], order.toReversed()),
    ];
    const next = counts && shape.next !== undefined && !large ? ` AUTO_INCREMENT=${shape.next}` : "";
    return fc
      .record({
        name: anyName,
        cells: fc.array(rowOf(columns), { minLength: Math.min(rows, mostSent), maxLength: Math.min(rows, mostSent) }),
      })
      .map(({ name: awkward, cells }) => {
        const name = `t${number} ${awkward || "plain"}`;
        const into = `INSERT IGNORE INTO ${sqlName(name)} (${["n", ...columns.map(({ sql }) => sql)].join(", ")})`;
        const numberOf = (index: number) => (counting === "no key" && !large ? index % 3 : index * 7 - 3);
        const sent = cells.map((row, index) => `(${[numberOf(index), ...row].join(", ")})`);
        const twice = counting === "no key" ? sent.slice(0, 5) : [];
        const copied = ["t.n + numbers.n * 1000", ...columns.map(({ sql }) => `t.${sql}`)].join(", ");
        const copies = `SELECT ${copied} FROM ${sqlName(name)} AS t CROSS JOIN ${numbers(Math.ceil(rows / mostSent))}`;
        return {
          name,
          statements: [
            `CREATE TABLE ${sqlName(name)} (\n  ${all.join(",\n  ")}\n) ENGINE=${engine}${next}${commentOf(shape.comment)}`,
            ...(sent.length > 0 ? [`${into} VALUES\n${[...sent, ...twice].join(",\n")}`] : []),
            ...(large ? [`${into} ${copies}`] : []),
          ],
        };
      });
  };

/** Values of megabytes, up to so many, in each form in which a dump writes a row. */
const longValues = (number: number, megabytes: number): fc.Arbitrary<AnyTable> =>
  fc
    .record({
      exact: fc.boolean(),
      hidden: fc.boolean(),
      keyed: fc.boolean(),
      type: fc.constantFrom("longblob", "longtext"),
      lengths: fc.array(fc.integer({ min: 0, max: megabytes * 2 ** 20 }), { minLength: 1, maxLength: 2 }),
    })
    .map(({ exact, hidden, keyed, type, lengths }) => {
      const name = `t${number} long`;
      return {
        name,
        statements: [
          `CREATE TABLE ${sqlName(name)} (n int${keyed ? " PRIMARY KEY" : ""}, v ${type}${exact ? ", f float" : ""}, h int${hidden ? " INVISIBLE" : ""})`,
          `INSERT INTO ${sqlName(name)} (n, v) VALUES ${[...lengths, megabytes * 2 ** 20]
            .map(
              (length, n) =>
                `(${n}, LEFT(REPEAT('0123456789''\\\\\\0\\n;,()', ${Math.ceil(length / 18) + 1}), ${length}))`,
            )
            .join(", ")}`,
        ],
      };
    });

const chunked = <Thing>(things: readonly Thing[], size: number): readonly (readonly Thing[])[] =>
  Array.from({ length: Math.ceil(things.length / size) }, (_, index) => things.slice(index * size, (index + 1) * size));

/**
 * Tables that together have every type of a product's columns, each with whatever else a table can have: hidden and computed
 * columns, defaults, checks, comments, keys in any order, no row or a few.
 *
 * @param options.most rows of one of them, the first
 * @param options.megabytes of the longest value of another, the last
 */
export const anyTables = (
  product: Product,
  { most, megabytes }: { readonly most: number; readonly megabytes: number },
): fc.Arbitrary<readonly AnyTable[]> => {
  const types = columnTypesOf(product);
  return fc.shuffledSubarray([...types], { minLength: types.length, maxLength: types.length }).chain((all) => {
    const groups = chunked(all, 3);
    const few = fc.oneof(
      { weight: 1, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) },
      { weight: 3, arbitrary: fc.integer({ min: 20, max: mostSent }) },
    );
    return fc.tuple(
      ...groups.map((group, number) =>
        fc
          .tuple(...group.map(columnOf))
          .chain((columns) => shapeOf(columns, number === 0 ? fc.constant(most) : few))
          .chain(tableOf(product, number)),
      ),
      longValues(groups.length, megabytes),
    );
  });
};
