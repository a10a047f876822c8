import fc from "fast-check";

/** A type of column, and values for it as SQL expressions: extremes, what careless quoting breaks on, anything else. */
export interface ColumnType {
  readonly type: string;
  readonly values: fc.Arbitrary<string>;
}

const bytes = (value: Uint8Array): string => `X'${Buffer.from(value).toString("hex")}'`;
const text = (value: string): string => `_utf8mb4 ${bytes(Buffer.from(value))}`;
const quoted = (value: string): string => `'${value}'`;

const integers = (bits: number): readonly ColumnType[] => {
  const name = { 8: "tinyint", 16: "smallint", 24: "mediumint", 32: "int", 64: "bigint" }[bits] ?? "int";
  const signed = { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n };
  const unsigned = { min: 0n, max: 2n ** BigInt(bits) - 1n };
  const among = ({ min, max }: { min: bigint; max: bigint }) =>
    fc.oneof(fc.constantFrom(min, max, 0n, 1n), fc.bigInt(min, max)).map(String);
  return [
    { type: name, values: among(signed) },
    { type: `${name} unsigned`, values: among(unsigned) },
    { type: `${name}(9) unsigned zerofill`, values: among(unsigned) },
  ];
};

const digits = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: length });
const decimal = (integer: number, fraction: number): ColumnType => ({
  type: `decimal(${integer + fraction},${fraction})`,
  values: fc.oneof(
    fc.constantFrom("0", "-0", `${"9".repeat(integer)}.${"9".repeat(fraction)}`, `-${"9".repeat(integer)}`),
    fc.constant(`-0.${"0".repeat(Math.max(0, fraction - 1))}1`),
    fc.tuple(fc.constantFrom("", "-"), digits(integer), digits(fraction + 1)).map(([sign, a, b]) => `${sign}${a}.${b}`),
  ),
});

/** Written with an exponent, so that the server takes them for floating point numbers. */
const exponential = (value: number): string => value.toExponential();
const floats = fc.oneof(
  fc.constantFrom(
    "0e0",
    "3.4028234663852886e38",
    "-3.4028234663852886e38",
    "1.1754943508222875e-38",
    "1.401298464324817e-45",
  ),
  fc.constantFrom("1e-1", "9.87654321e1", "1.6777217e7", "98.60001e0", "3.3333333e-1"),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(exponential),
);
const doubles = fc.oneof(
  fc.constantFrom("0e0", "1.7976931348623157e308", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(exponential),
);

const awkward = [
  ..."\0\b\t\n\r\x1a\x1b\x7f\\'\"`%_;,()[]{}$#!@&*?~^|<>=+-/ ",
  ...[
    "\\n",
    "\\0",
    "\\N",
    "NULL",
    "null",
    "''",
    "\\'",
    "\\\\'",
    "),\n(",
    ");\n",
    ";;",
    "-- ",
    "\n-- ",
    "/*",
    "*/",
    "/*!",
  ],
  ...[
    "\n-- Dumping data for table `x`\n",
    "\nINSERT INTO `x` VALUES\n(1);\n",
    "\nDELIMITER ;;\n",
    "-- Dump completed\n",
  ],
  ...[
    "é",
    "ß",
    "漢",
    "🩺",
    "👩‍⚕️",
    "\u0301",
    "\u202e",
    "\ufeff",
    "\u2028",
    "\u{10ffff}",
    "ﬀ",
    "İ",
    "\\! true",
    "0x00",
    "X'00'",
  ],
  "-- openemr-ops end of dump\n",
];
const within = (pieces: readonly string[], maxLength: number) =>
  fc
    .oneof(
      fc.constantFrom("", " ", "  trailing  ", "0", "false", "\\", "'", '"', "\\'"),
      fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join("")),
      fc.string({ unit: "grapheme", maxLength: 20 }),
    )
    .map((value) => [...value].slice(0, maxLength).join(""));
const anyText = (maxLength: number) => within(awkward, maxLength).map((value) => text(value.toWellFormed()));
const basicPlane = (maxLength: number) =>
  within(awkward, maxLength).map((value) =>
    text([...value.toWellFormed()].filter((letter) => (letter.codePointAt(0) ?? 0) <= 0xffff).join("")),
  );
/** Every byte means something in MySQL's latin1, so any bytes will do. */
const latin1 = (maxLength: number) => fc.uint8Array({ maxLength }).map((value) => `_latin1 ${bytes(value)}`);
const anyBytes = (maxLength: number, minLength = 0) =>
  fc.oneof(
    fc.uint8Array({ minLength, maxLength }).map(bytes),
    fc
      .array(fc.constantFrom(0, 10, 13, 26, 34, 39, 92, 0x7f, 0x80, 0xff), { minLength, maxLength })
      .map((value) => bytes(Uint8Array.from(value))),
  );

const two = (from: number, to: number) =>
  fc.integer({ min: from, max: to }).map((value) => `${value}`.padStart(2, "0"));
const fraction = fc.constantFrom("", ".000001", ".999999", ".5");
const years = fc.oneof(
  fc.constantFrom("0001", "1000", "1970", "9999"),
  fc.integer({ min: 1000, max: 9999 }).map(String),
);
const dates = fc.oneof(
  fc.constantFrom("0000-00-00", "2024-00-00", "2024-02-00", "1000-01-01", "9999-12-31", "2024-02-29"),
  fc.tuple(years, two(1, 12), two(1, 28)).map((parts) => parts.join("-")),
);
const clock = fc.tuple(two(0, 23), two(0, 59), two(0, 59)).map((parts) => parts.join(":"));
const moments = fc.oneof(
  fc.constant("0000-00-00 00:00:00"),
  fc.tuple(dates, clock, fraction).map(([date, time, rest]) => `${date} ${time}${rest}`),
);
const timestamps = fc.oneof(
  fc.constantFrom("0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07.999999", "2024-03-31 02:30:00"),
  fc
    .tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fraction)
    .map(([seconds, rest]) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")}${rest}`),
);
const times = fc.oneof(
  fc.constantFrom("838:59:59", "-838:59:59", "00:00:00", "-00:00:01", "-00:00:00.000001", "838:59:59.999999"),
  fc
    .tuple(fc.constantFrom("", "-"), fc.integer({ min: 0, max: 837 }), two(0, 59), two(0, 59), fraction)
    .map(([sign, hours, minutes, seconds, rest]) => `${sign}${hours}:${minutes}:${seconds}${rest}`),
);

const coordinate = fc.oneof(
  fc.constantFrom(0, 180, -90, 1e-300, 1.7976931348623157e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const point = fc.tuple(coordinate, coordinate).map(([x, y]) => `${x.toExponential()} ${y.toExponential()}`);
const geometry = (shape: fc.Arbitrary<string>) =>
  fc.tuple(shape, fc.constantFrom(0, 4326)).map(([wellKnown, srid]) => `ST_GeomFromText('${wellKnown}', ${srid})`);
const points = point.map((xy) => `POINT(${xy})`);
const lines = fc.array(point, { minLength: 2, maxLength: 5 }).map((list) => `LINESTRING(${list.join(",")})`);
const polygons = fc
  .array(point, { minLength: 3, maxLength: 5 })
  .map((list) => `POLYGON((${[...list, list[0]].join(",")}))`);

const json = fc.json({ maxDepth: 3 }).map((value) => text(value.toWellFormed()));

/** Every type of MariaDB and its extremes; NULL is added by the table. */
export const columnTypes: readonly ColumnType[] = [
  ...[8, 16, 24, 32, 64].flatMap(integers),
  decimal(35, 30),
  decimal(10, 0),
  decimal(5, 2),
  { type: "float", values: floats },
  { type: "float unsigned", values: floats.map((value) => value.replace(/^-/, "")) },
  { type: "float(12,4)", values: fc.double({ min: -99999999, max: 99999999, noNaN: true }).map(exponential) },
  { type: "double", values: doubles },
  {
    type: "double(20,3)",
    // MariaDB stores the last one as -0.04400000000000004, and prints it as -0.044.
    values: fc.oneof(fc.double({ min: -1e16, max: 1e16, noNaN: true }).map(exponential), fc.constant("-0.044")),
  },
  { type: "bit(1)", values: fc.constantFrom("b'0'", "b'1'") },
  { type: "bit(13)", values: fc.nat(2 ** 13 - 1).map(String) },
  { type: "bit(64)", values: fc.oneof(fc.constant("18446744073709551615"), fc.bigInt(0n, 2n ** 64n - 1n).map(String)) },
  { type: "bool", values: fc.constantFrom("0", "1") },
  { type: "char(20)", values: anyText(20) },
  { type: "char(20) character set latin1", values: latin1(20) },
  { type: "char(20) character set utf8mb3 collate utf8mb3_bin", values: basicPlane(20) },
  { type: "char(20) character set ucs2", values: basicPlane(20) },
  { type: "varchar(60)", values: anyText(60) },
  { type: "varchar(60) character set latin1 collate latin1_bin", values: latin1(60) },
  { type: "varchar(60) character set utf8mb3", values: basicPlane(60) },
  { type: "varchar(60) character set utf16", values: anyText(60) },
  { type: "varchar(20) character set ascii", values: fc.string({ unit: "binary-ascii", maxLength: 20 }).map(text) },
  { type: "tinytext", values: anyText(50) },
  { type: "text", values: anyText(200) },
  { type: "text character set latin1", values: latin1(200) },
  { type: "mediumtext", values: anyText(200) },
  { type: "longtext", values: anyText(200) },
  { type: "binary(7)", values: anyBytes(7) },
  { type: "varbinary(300)", values: anyBytes(300) },
  { type: "tinyblob", values: anyBytes(255) },
  { type: "blob", values: anyBytes(300) },
  { type: "mediumblob", values: anyBytes(300) },
  { type: "longblob", values: anyBytes(300) },
  { type: "date", values: dates.map(quoted) },
  { type: "datetime", values: moments.map(quoted) },
  { type: "datetime(6)", values: moments.map(quoted) },
  { type: "timestamp", values: timestamps.map(quoted) },
  { type: "timestamp(6)", values: timestamps.map(quoted) },
  { type: "time", values: times.map(quoted) },
  { type: "time(3)", values: times.map(quoted) },
  { type: "year", values: fc.constantFrom("0", "1901", "1999", "2000", "2155") },
  { type: "enum('a','','it''s','b;\\n','ö','a`b')", values: fc.constantFrom("1", "2", "3", "4", "5", "6") },
  { type: "enum('x','y')", values: fc.constantFrom("''", "1", "2") },
  { type: "set('a','it''s','ö','d')", values: fc.nat(15).map(String) },
  { type: "json", values: json },
  { type: "geometry", values: geometry(fc.oneof(points, lines, polygons)) },
  { type: "point", values: geometry(points) },
  { type: "linestring", values: geometry(lines) },
  { type: "polygon", values: geometry(polygons) },
  {
    type: "geometrycollection",
    values: geometry(fc.tuple(points, lines).map((shapes) => `GEOMETRYCOLLECTION(${shapes.join(",")})`)),
  },
  {
    type: "inet6",
    values: fc
      .oneof(
        fc.ipV6(),
        fc.ipV4().map((address) => `::ffff:${address}`),
      )
      .map(quoted),
  },
  { type: "uuid", values: fc.uuid().map(quoted) },
];

/** Types that only MariaDB has. */
const onlyMariaDb = new Set(["inet6", "uuid"]);

/**
 * Those that a product has. MySQL checks coordinates of a shape that names a system of reference, which anything but a
 * globe does not pass.
 */
export const columnTypesOf = (product: "MariaDB" | "MySQL"): readonly ColumnType[] =>
  product === "MariaDB"
    ? columnTypes
    : columnTypes
        .filter(({ type }) => !onlyMariaDb.has(type))
        .map(({ type, values }) => ({ type, values: values.map((value) => value.replace(/, 4326\)$/, ", 0)")) }));
