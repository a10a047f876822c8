/** How a column of a type can be keyed, given a value, checked and computed with. All SQL. */
export interface Family {
  readonly of: RegExp;
  /** Characters or bytes of the type that a key can take; 0 for all of the value. Absent where no key is possible. */
  readonly prefix?: number;
  readonly fullText?: true;
  readonly defaults: readonly string[];
  /** `c` is the column. */
  readonly check: string;
  readonly computed: readonly (readonly [type: string, expression: string])[];
}

const isNull = ["int", "c IS NULL"] as const;
/** The first that matches. Texts in expressions read like SQL, so that careless reading breaks on them. */
const families: readonly Family[] = [
  { of: /^(?:geom|point|line|polygon)/, defaults: [], check: "c IS NULL OR 1 = 1", computed: [isNull] },
  {
    of: /^json/,
    defaults: ["(json_object('a', 'it''s, (b)'))"],
    check: "json_valid(c)",
    computed: [["int", "json_valid(c)"]],
  },
  {
    of: /^(?:tiny|medium|long)?text/,
    prefix: 5,
    fullText: true,
    defaults: ["(concat('it''s, (', 'b`);'))"],
    check: "c <> 'KEY `x` (`y`), it''s'",
    computed: [["varchar(60)", "concat('it''s (', left(c, 3), '),')"], isNull],
  },
  {
    of: /^(?:var)?char.* (?:ucs2|utf16)/,
    prefix: 5,
    defaults: ["'it''s, (a) `b`'"],
    check: "char_length(c) < 1000",
    computed: [["varchar(60)", "left(rtrim(c), 3)"]],
  },
  {
    of: /^(?:var)?char/,
    prefix: 5,
    fullText: true,
    defaults: ["'it''s, (a) `b`'", "''", "(concat('a)', '\\\\', 'b'))"],
    check: "c <> 'KEY `x` (`y`), it''s'",
    computed: [
      ["varchar(60)", "concat(rtrim(c), ', KEY `x` (`y`)')"],
      ["int", "char_length(rtrim(c))"],
    ],
  },
  {
    of: /^(?:tiny|medium|long)?blob/,
    prefix: 5,
    defaults: ["(concat('a''', char(7)))"],
    check: "length(c) < 100000000",
    computed: [["varchar(20)", "hex(left(c, 4))"]],
  },
  {
    of: /^(?:var)?binary/,
    prefix: 5,
    defaults: ["'a''b'", "X'0027'"],
    check: "length(c) < 1000",
    computed: [["varchar(20)", "hex(left(c, 4))"], isNull],
  },
  { of: /^enum\('x/, prefix: 0, defaults: ["'x'"], check: "c <> 'z'", computed: [["varchar(9)", "c"]] },
  { of: /^(?:enum|set)/, prefix: 0, defaults: ["'a'"], check: "c <> 'it''s)'", computed: [["int", "c + 0"]] },
  { of: /^bit/, prefix: 0, defaults: ["b'1'"], check: "c >= 0", computed: [isNull] },
  { of: /^(?:float|double)/, prefix: 0, defaults: ["0.1", "1e2"], check: "c = c", computed: [["int", "sign(c)"]] },
  { of: /^year/, prefix: 0, defaults: ["2001"], check: "c >= 0", computed: [["int", "c + 0"]] },
  {
    of: /^(?:datetime|timestamp)(?:\((\d)\))?/,
    prefix: 0,
    defaults: ["CURRENT_TIMESTAMP@", "CURRENT_TIMESTAMP@ ON UPDATE CURRENT_TIMESTAMP@", "'2024-02-29 01:02:03'"],
    check: "c IS NULL OR 1 = 1",
    computed: [isNull],
  },
  { of: /^date/, prefix: 0, defaults: ["'2024-02-29'"], check: "c IS NULL OR 1 = 1", computed: [["int", "year(c)"]] },
  { of: /^time/, prefix: 0, defaults: ["'-01:02:03'"], check: "c IS NULL OR 1 = 1", computed: [isNull] },
  { of: /^inet6/, prefix: 0, defaults: ["'::1'"], check: "c <> '::9'", computed: [["varchar(60)", "c"]] },
  { of: /^uuid/, prefix: 0, defaults: ["(uuid())"], check: "c IS NULL OR 1 = 1", computed: [["varchar(60)", "c"]] },
  {
    of: /^(?:\w*int|decimal|bool)/,
    prefix: 0,
    defaults: ["7", "(3 + length('a,)`'))"],
    check: "c = c AND 'a)' <> 'b`('",
    computed: [
      ["bigint", "c % 7"],
      ["varchar(80)", "concat('n (', c, ')')"],
    ],
  },
];
export const familyOf = (type: string): Family => {
  const family = families.find(({ of }) => of.test(type));
  if (!family) throw new Error(`no family for a column of type ${type}`);
  return family;
};
