import { readSettings } from "./sessionSettings.ts";
import { type Token, TokenReader, UnreadableSql } from "./sqlTokens.ts";

/** What a statement of a table's part of a dump does. Only `make` is meant to be run; sessions are set by whoever loads. */
export type StructureStatement = "make" | "session";

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Engines that keep a table's rows with the server, and nowhere else. */
const engines = words("INNODB MYISAM ARIA MEMORY ARCHIVE CSV BLACKHOLE ROCKSDB");

/**
 * All bare words that a table's definition may hold: keywords, types, and functions of the server that look at nothing but
 * their arguments, the clock, and sequences of the schema. What is absent is refused: SELECT, DIRECTORY, CONNECTION, UNION, functions of others.
 */
const vocabulary = words(`
  PRIMARY UNIQUE KEY INDEX FULLTEXT SPATIAL CONSTRAINT CHECK FOREIGN REFERENCES ON DELETE UPDATE CASCADE RESTRICT
  NO ACTION SET NULL NOT DEFAULT AUTO_INCREMENT COMMENT GENERATED ALWAYS AS VIRTUAL STORED PERSISTENT INVISIBLE
  COMPRESSED WITHOUT WITH SYSTEM VERSIONING ROW START END PERIOD FOR OVERLAPS SYSTEM_TIME USING BTREE HASH RTREE
  KEY_BLOCK_SIZE PARSER IGNORED VISIBLE ASC DESC MATCH FULL PARTIAL SIMPLE REF_SYSTEM_ID SRID COLUMN_FORMAT
  TINYINT SMALLINT MEDIUMINT INT INTEGER BIGINT DECIMAL NUMERIC FLOAT DOUBLE REAL PRECISION BIT BOOLEAN UNSIGNED
  SIGNED ZEROFILL CHAR VARCHAR TINYTEXT TEXT MEDIUMTEXT LONGTEXT BINARY VARBINARY TINYBLOB BLOB MEDIUMBLOB LONGBLOB
  ENUM DATE TIME DATETIME TIMESTAMP YEAR JSON GEOMETRY POINT LINESTRING POLYGON MULTIPOINT MULTILINESTRING
  MULTIPOLYGON GEOMETRYCOLLECTION GEOMCOLLECTION INET4 INET6 UUID XMLTYPE VECTOR CHARACTER CHARSET COLLATE
  NEXTVAL LASTVAL
  AND OR XOR DIV MOD IN IS BETWEEN LIKE RLIKE REGEXP ESCAPE CASE WHEN THEN ELSE TRUE FALSE UNKNOWN INTERVAL
  MICROSECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER SOUNDS B X N
  CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME NOW CURDATE CURTIME LOCALTIME LOCALTIMESTAMP UTC_DATE UTC_TIME
  UTC_TIMESTAMP UNIX_TIMESTAMP FROM_UNIXTIME SYSDATE ADDDATE SUBDATE ADDTIME SUBTIME DATE_ADD DATE_SUB DATEDIFF
  TIMEDIFF TIMESTAMPDIFF TIMESTAMPADD DATE_FORMAT STR_TO_DATE TIME_FORMAT TIME_TO_SEC SEC_TO_TIME TO_DAYS FROM_DAYS
  TO_SECONDS DAYNAME DAYOFMONTH DAYOFWEEK DAYOFYEAR LAST_DAY MAKEDATE MAKETIME MONTHNAME WEEKDAY WEEKOFYEAR YEARWEEK
  PERIOD_ADD PERIOD_DIFF EXTRACT CONVERT_TZ CAST ARRAY CONVERT COALESCE IFNULL NULLIF IF GREATEST LEAST ISNULL NVL NVL2
  DECODE CONCAT CONCAT_WS SUBSTR SUBSTRING SUBSTRING_INDEX LEFT RIGHT MID TRIM LTRIM RTRIM BOTH LEADING TRAILING FROM
  LOWER LCASE UPPER UCASE LENGTH CHAR_LENGTH CHARACTER_LENGTH OCTET_LENGTH BIT_LENGTH BIT_COUNT INSTR LOCATE POSITION
  REPLACE REPEAT REVERSE LPAD RPAD SPACE INSERT ELT FIELD FIND_IN_SET FORMAT HEX UNHEX OCT BIN CONV ORD ASCII CHR QUOTE
  SOUNDEX STRCMP REGEXP_REPLACE REGEXP_SUBSTR REGEXP_INSTR TO_BASE64 FROM_BASE64 MD5 SHA SHA1 SHA2 CRC32 CRC32C
  COMPRESS UNCOMPRESS UUID_SHORT SYS_GUID RAND ABS CEIL CEILING FLOOR ROUND TRUNCATE SIGN SQRT POW POWER EXP LN LOG
  LOG2 LOG10 PI SIN COS TAN ASIN ACOS ATAN ATAN2 COT DEGREES RADIANS INET_ATON INET_NTOA INET6_ATON INET6_NTOA
  IS_IPV4 IS_IPV6 JSON_VALID JSON_EXTRACT JSON_VALUE JSON_QUERY JSON_UNQUOTE JSON_QUOTE JSON_TYPE JSON_LENGTH
  JSON_DEPTH JSON_CONTAINS JSON_CONTAINS_PATH JSON_EXISTS JSON_KEYS JSON_SEARCH JSON_OBJECT JSON_ARRAY JSON_SET
  JSON_INSERT JSON_REPLACE JSON_REMOVE JSON_MERGE JSON_MERGE_PATCH JSON_MERGE_PRESERVE JSON_COMPACT JSON_DETAILED
  JSON_LOOSE JSON_NORMALIZE JSON_EQUALS JSON_SCHEMA_VALID ST_X ST_Y ST_ASTEXT ST_GEOMFROMTEXT ST_ISVALID ST_SRID
`);

/** Options behind a table's definitions that take a value, and what they take. */
const options: Readonly<Record<string, "word" | "number" | "string">> = {
  AUTO_INCREMENT: "number",
  AVG_ROW_LENGTH: "number",
  CHARSET: "word",
  CHECKSUM: "number",
  COLLATE: "word",
  COMMENT: "string",
  DELAY_KEY_WRITE: "number",
  KEY_BLOCK_SIZE: "number",
  MAX_ROWS: "number",
  MIN_ROWS: "number",
  PACK_KEYS: "number",
  PAGE_CHECKSUM: "number",
  ROW_FORMAT: "word",
  SEQUENCE: "number",
  STATS_AUTO_RECALC: "number",
  STATS_PERSISTENT: "number",
  STATS_SAMPLE_PAGES: "number",
  TABLE_CHECKSUM: "number",
  TRANSACTIONAL: "number",
};
/** Options that engines add, which the server writes as quoted names. */
const engineOptions = words("PAGE_COMPRESSED PAGE_COMPRESSION_LEVEL ENCRYPTED ENCRYPTION_KEY_ID");

const marks = "(),=+-*/%<>!&|^~";

class Refused extends Error {}
const refuse = (why: string): never => {
  throw new Refused(why);
};

const upper = (token: Token | undefined): string => token?.text.toUpperCase() ?? "";

/** A charset's or collation's name, wherever one may stand. */
const namesCharset = words("SET CHARSET COLLATE");

/** The character set of the string behind it. */
const introducer = /^_(?:utf8|utf8mb[34]|utf16|utf16le|utf32|ucs2|ascii|binary|latin[1257]|cp\d{3,4}|koi8[ru]|greek)$/i;

/** One token of a definition or an expression, inside of parentheses or before them. */
const assertPlain = (token: Token, before: Token | undefined): void => {
  if (token.kind === "code") refuse("it has a comment that some servers run and others skip");
  if (token.kind === "string" && token.text.startsWith('"')) refuse("it has a text in double quotes");
  if (token.kind === "mark" && token.text === ".") refuse("it names something of another schema");
  if (token.kind === "mark" && !marks.includes(token.text)) refuse("it has a sign that no definition has");
  if (token.kind !== "word" || vocabulary.has(upper(token))) return;
  if (namesCharset.has(upper(before)) && /^[a-z]\w*$/i.test(token.text)) return;
  if (introducer.test(token.text)) return;
  refuse("it has a word that no definition of ours has");
};

/** A group in parentheses, to its end; the opening one was gone past. */
const group = (reader: TokenReader, onDefinition: (first: Token) => void = () => {}): void => {
  let before: Token | undefined;
  let begins = true;
  for (let depth = 1; depth > 0; ) {
    const token = reader.take() ?? refuse("a parenthesis does not close");
    assertPlain(token, before);
    if (depth === 1 && begins) onDefinition(token);
    begins = false;
    if (token.kind === "mark") {
      if (token.text === "(") depth++;
      else if (token.text === ")") depth--;
      else if (token.text === "," && depth === 1) begins = true;
      else if (token.text === "=" && depth === 1 && before?.kind === "name" && !engineOptions.has(upper(before)))
        refuse("it has an option that is not known");
    }
    before = token;
  }
};

const definitionBegins = words("PRIMARY UNIQUE KEY FULLTEXT SPATIAL CONSTRAINT CHECK PERIOD FOREIGN");

const value = (reader: TokenReader, kind: "word" | "number" | "string"): void => {
  reader.mark("=");
  const token = reader.take();
  const fits = token?.kind === kind || (kind === "number" && upper(token) === "DEFAULT");
  if (!fits || token?.text.startsWith('"')) refuse("it has an option without a plain value");
};

const engine = (reader: TokenReader): void => {
  reader.mark("=");
  if (!engines.has(upper(reader.take()))) refuse("its engine may keep rows elsewhere");
};

const partitionOptions = { COMMENT: "string", MAX_ROWS: "number", MIN_ROWS: "number" } as const;

/** `(PARTITION name VALUES … ENGINE = …, …)`, each with a list of subpartitions or none. The opening one was gone past. */
const partitions = (reader: TokenReader, word: "PARTITION" | "SUBPARTITION"): void => {
  do {
    if (!reader.words(word) || reader.ownName() === undefined) refuse("its partitions cannot be read");
    for (;;) {
      if (reader.words("VALUES", "LESS", "THAN")) {
        if (!reader.words("MAXVALUE")) {
          if (!reader.mark("(")) refuse("its partitions cannot be read");
          limits(reader);
        }
      } else if (reader.words("VALUES", "IN")) {
        if (!reader.mark("(")) refuse("its partitions cannot be read");
        limits(reader);
      } else if (reader.words("ENGINE")) engine(reader);
      else if (word === "PARTITION" && reader.mark("(")) partitions(reader, "SUBPARTITION");
      else if (!reader.oneOf("HISTORY", "CURRENT", "DEFAULT")) {
        const option = reader.oneOf("COMMENT", "MAX_ROWS", "MIN_ROWS");
        if (!option) break;
        value(reader, partitionOptions[option as keyof typeof partitionOptions]);
      }
    }
  } while (reader.mark(","));
  if (!reader.mark(")")) refuse("its partitions cannot be read");
};

/** As `group`; a partition's limit may also be MAXVALUE. */
const limits = (reader: TokenReader): void => {
  let before: Token | undefined;
  for (let depth = 1; depth > 0; ) {
    if (reader.words("MAXVALUE")) continue;
    const token = reader.take() ?? refuse("a parenthesis does not close");
    assertPlain(token, before);
    if (token.kind === "mark" && token.text === "(") depth++;
    if (token.kind === "mark" && token.text === ")") depth--;
    before = token;
  }
};

/** What a table is parted by; `PARTITION BY` was gone past. */
const parting = (reader: TokenReader): void => {
  if (reader.words("SYSTEM_TIME")) {
    if (reader.words("INTERVAL")) {
      if (reader.take()?.kind === "mark") refuse("its partitions cannot be read");
      reader.oneOf("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR");
      if (reader.words("STARTS")) {
        reader.words("TIMESTAMP");
        if (reader.take()?.kind !== "string") refuse("its partitions cannot be read");
      }
    } else if (reader.words("LIMIT") && reader.take()?.kind !== "number") refuse("its partitions cannot be read");
    reader.words("AUTO");
    return;
  }
  reader.words("LINEAR");
  const by = reader.oneOf("RANGE", "LIST", "HASH", "KEY") ?? refuse("its partitions cannot be read");
  if (by === "KEY" && reader.words("ALGORITHM")) value(reader, "number");
  reader.words("COLUMNS");
  if (!reader.mark("(")) refuse("its partitions cannot be read");
  group(reader);
};

const atEnd = (reader: TokenReader): boolean => reader.next?.kind === "mark" && reader.next.text === ";";

const end = (reader: TokenReader): void => {
  if (!reader.mark(";") || !reader.ended) refuse("another statement stands behind it");
};

const tableOptions = (reader: TokenReader): void => {
  while (!atEnd(reader)) {
    reader.mark(",");
    if (reader.words("ENGINE")) engine(reader);
    else if (reader.words("PARTITION", "BY") || reader.words("SUBPARTITION", "BY")) parting(reader);
    else if (reader.words("PARTITIONS") || reader.words("SUBPARTITIONS")) value(reader, "number");
    else if (reader.mark("(")) partitions(reader, "PARTITION");
    else if (reader.words("WITH", "SYSTEM", "VERSIONING")) continue;
    else if (reader.next?.kind === "name") {
      if (!engineOptions.has(upper(reader.take())) || !reader.mark("=")) refuse("it has an option that is not known");
      if (!["string", "number", "word"].includes(reader.take()?.kind ?? ""))
        refuse("it has an option without a plain value");
    } else {
      reader.words("DEFAULT");
      const option = reader.oneOf(...Object.keys(options)) ?? refuse("it has an option that is not known");
      value(reader, options[option] ?? "word");
    }
  }
  end(reader);
};

const table = (reader: TokenReader): void => {
  if (!reader.mark("(")) refuse("it is not made from definitions of its own");
  group(reader, (first) => {
    if (first.kind !== "name" && !(first.kind === "word" && definitionBegins.has(upper(first))))
      refuse("it has something that is neither column nor key");
  });
  tableOptions(reader);
};

const sequenceWords = words("START WITH MINVALUE MAXVALUE INCREMENT BY CACHE NOCACHE CYCLE NOCYCLE NO");

const sequence = (reader: TokenReader): void => {
  while (!atEnd(reader)) {
    if (reader.words("AS")) reader.take();
    else if (reader.words("ENGINE")) engine(reader);
    else if (reader.next?.kind === "number" || sequenceWords.has(upper(reader.next))) reader.take();
    else if (!reader.mark("-")) refuse("it has an option that is not known");
  }
  end(reader);
};

const read = (sql: string, name: string): StructureStatement => {
  const reader = new TokenReader(sql);
  if (reader.next?.kind === "mark") {
    end(reader); // of a setting that not all servers know
    return "session";
  }
  if (reader.next?.kind === "word" && upper(reader.next) === "SET") {
    if (!readSettings(reader)) refuse("it sets something that no dump sets");
    end(reader);
    return "session";
  }
  const own = (): void => {
    if (reader.ownName() !== name) refuse("it is about something else than was announced");
  };
  if (reader.words("COMMIT")) {
    end(reader);
    return "session";
  }
  if (reader.words("DROP", "TABLE", "IF", "EXISTS") || reader.words("DROP", "SEQUENCE", "IF", "EXISTS")) {
    own();
    end(reader);
  } else if (reader.words("CREATE", "TABLE")) {
    own();
    table(reader);
  } else if (reader.words("CREATE", "SEQUENCE")) {
    own();
    sequence(reader);
  } else if (reader.words("DO", "SETVAL") || reader.words("SELECT", "SETVAL")) {
    if (!reader.mark("(")) refuse("it is no statement of a dump");
    own();
    for (let part = 0; part < 2; part++) {
      if (!reader.mark(",")) refuse("it is no statement of a dump");
      reader.mark("-");
      if (reader.take()?.kind !== "number") refuse("it is no statement of a dump");
    }
    if (!reader.mark(")")) refuse("it is no statement of a dump");
    end(reader);
  } else if (reader.words("ALTER", "TABLE")) {
    own();
    if (!reader.words("DISABLE", "KEYS") && !reader.words("ENABLE", "KEYS")) refuse("it is no statement of a dump");
    end(reader);
    return "session";
  } else refuse("it is no statement of a dump");
  return "make";
};

/**
 * Reads one statement that stands in a table's part of a dump but for its rows.
 *
 * @param sql one character a byte (Latin-1)
 * @param name the table or sequence that was announced, in the same form; nothing else may be touched
 * @returns what it does, or why it is refused: never a piece of its text
 */
export const structureStatement = (
  sql: string,
  name: string,
): { readonly does: StructureStatement } | { readonly refused: string } => {
  try {
    return { does: read(sql, name) };
  } catch (error) {
    if (error instanceof Refused || error instanceof UnreadableSql) return { refused: error.message };
    throw error;
  }
};
