import { SqlconfError } from "@openemr-ops/core/errors";
import { parseSqlconf, phpLiteral, rewriteSqlconf, type Sqlconf } from "@openemr-ops/openemr/sqlconf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedVectors } from "../../support/sharedVectors.ts";

const php = (body: string): Buffer => Buffer.from(`<?php\n${body}`);
const array =
  "$sqlconf = array(); $sqlconf['host'] = $host; $sqlconf['port'] = $port; $sqlconf['login'] = $login;\n\
$sqlconf['pass'] = $pass; $sqlconf['dbase'] = $dbase;";
const file = (pass: string, config = "$config = 1;") =>
  php(`$host='h';$port='3306';$login='l';\n${pass}\n$dbase='d';\n${array}\n${config}\n`);
const values: Sqlconf = { host: "h", port: 3306, login: "l", pass: "secret", dbase: "d", configured: true };

describe("sqlconf.php is read without running it", () => {
  it.each<{ form: string; content: Buffer; pass?: string }>([
    { form: "single quotes", content: file("$pass = 'secret';") },
    { form: "Windows line ends", content: Buffer.from(file("$pass = 'secret';").toString().replaceAll("\n", "\r\n")) },
    { form: "a closing tag and a line after it", content: Buffer.from(`${file("$pass = 'secret';")}?>\n`) },
    { form: "a closing tag instead of the last semicolon", content: file("$pass = 'secret';", "$config = 1 ?>") },
    { form: "a closing tag at the end of a comment", content: Buffer.from(`${file("$pass = 'secret';")}// end ?>`) },
    { form: "a byte order mark", content: Buffer.from(`\ufeff${file("$pass = 'secret';")}`) },
    {
      form: "comments that hold assignments",
      content: file("// $pass='a';\n# $pass='b';\n/* $pass='c'; */ $pass/**/='secret'/*;*/;"),
    },
    { form: "a later assignment, which wins", content: file("$pass='first'; $pass='secret';") },
    { form: "concatenated literals", content: file("$pass = 'sec' . \"ret\";") },
    { form: "escapes in double quotes", content: file('$pass = "\\x73\\145cr\\u{65}t";') },
    {
      form: "unknown escapes, kept with their backslash",
      content: file('$pass = "\\q\\$x$ 5\\"";'),
      pass: '\\q$x$ 5"',
    },
    { form: "a backslash before the end", content: file("$pass = 'a\\\\';"), pass: "a\\" },
    { form: "a backslash that escapes nothing", content: file("$pass = 'a\\n\\'';"), pass: "a\\n'" },
    { form: "a number", content: file("$pass = 12345;"), pass: "12345" },
    { form: "letters of any script", content: file("$pass = 'pä∂ß😀';"), pass: "pä∂ß😀" },
    {
      form: "an assignment in the array, which wins",
      content: file("$pass = 'other';", "$config = 1; $sqlconf['pass'] = 'secret';"),
    },
  ])("with $form", ({ content, pass = "secret" }) => {
    expect(parseSqlconf(content)).toEqual({ ...values, pass });
  });

  it("from an array literal, long or short, with a port that is a number", () => {
    for (const [open, close] of [
      ["[", "]"],
      ["array(", ")"],
    ] as const) {
      const body = `$sqlconf = ${open}'host'=>'h', "port" => 3306, 'login'=>'l','pass'=>'secret','dbase'=>'d',${close}; $config=true;`;
      expect(parseSqlconf(php(body))).toEqual(values);
    }
  });

  it.each([
    ["$config = 0;", false],
    ["$config = 1;", true],
    ["$config = true;", true],
    ["$config = '1';", true],
    ["", false],
  ])("and tells from %j whether the site is set up: %s", (config, configured) => {
    expect(parseSqlconf(file("$pass = 'x';", config)).configured).toBe(configured);
  });
});

describe("sqlconf.php is refused, not guessed", () => {
  it.each<[string, Buffer]>([
    ["is empty", Buffer.from("")],
    ["has text before PHP begins", Buffer.from("hello <?php $config = 1;")],
    ["has text after PHP ends", Buffer.from(`${file("$pass='canary';")}?>\nhello`)],
    ["reads the environment", file("$pass = getenv('X') ?: 'canary';")],
    ["reads a superglobal", file("$pass = $_ENV['X'] ?? 'canary';")],
    ["holds a heredoc", file("$pass = <<<EOT\ncanary\nEOT;")],
    ["interpolates a variable", file('$x = "canary"; $pass = "$x";')],
    ["interpolates an expression", file('$pass = "{$login}canary";')],
    ["runs a command", file("$pass = `cat canary`;")],
    ["calls a function", file("$pass = file_get_contents('canary');")],
    ["includes a file", file("include 'canary.php'; $pass = 'canary';")],
    ["decides by a condition", file("if (true) { $pass = 'canary'; }")],
    ["assigns inside an expression", file("$pass = ($host = 'canary');")],
    ["appends to a value", file("$pass = 'can'; $pass .= 'ary';")],
    ["takes a reference", file("$pass = 'canary'; $x = &$pass;")],
    ["uses a variable variable", file("$pass = 'canary'; $$x = 1;")],
    ["lacks a semicolon", file("$pass = 'canary'")],
    ["lacks the last semicolon", file("$pass = 'canary';", "$config = 1")],
    ["lacks a closing quote", file("$pass = 'canary;")],
    ["lacks the end of a comment", file("$pass = 'canary'; /* ")],
    ["has no array", php("$host='h'; $pass='canary'; $config=1;")],
    ["has no password", php("$sqlconf=['host'=>'h','port'=>'1','login'=>'l','dbase'=>'d']; $config=1;")],
    ["takes the password from nowhere", file("")],
    [
      "connects through a socket",
      php("$sqlconf=['socket'=>'/s','login'=>'l','pass'=>'canary','dbase'=>'d']; $config=1;"),
    ],
    ["has no port number", php("$sqlconf=['host'=>'h','port'=>'70000','login'=>'l','pass'=>'canary','dbase'=>'d'];")],
    ["is not UTF-8 in a value", Buffer.from(file("$pass = 'canary\u00e4';").toString(), "latin1")],
  ])("when it %s", (_what, content) => {
    expect(() => parseSqlconf(content)).toThrow(SqlconfError);
    expect(() => parseSqlconf(content)).not.toThrow(/canary/);
  });
});

describe("sqlconf.php is rewritten", () => {
  const anyValue = fc.string({ unit: "binary", maxLength: 40 });
  const tricky = fc.string({
    unit: fc.constantFrom("'", "\\", '"', "$", "?", ">", "\n", "\r", ";", "a", "é"),
    maxLength: 20,
  });

  it("so that every value reads back, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.record({
          host: anyValue,
          port: fc.integer({ min: 1, max: 65535 }),
          login: tricky,
          pass: fc.oneof(tricky, anyValue),
          dbase: anyValue,
          configured: fc.boolean(),
        }),
        (changes) => {
          const first = rewriteSqlconf(file('$pass = "old"; // the password'), changes);
          expect(parseSqlconf(first)).toEqual(changes);
          expect(rewriteSqlconf(first, changes)).toEqual(first);
        },
      ),
    );
  });

  it("without touching any other byte", () => {
    const before = file("$pass /* why */ = 'old' /* ; */ ; # it's\r\n$other = \"x\";\t");
    const after = rewriteSqlconf(before, { pass: "it's" });
    expect(after.toString()).toBe(before.toString().replace("'old'", "'it\\'s'"));
    expect(rewriteSqlconf(before, {})).toEqual(before);
    expect(rewriteSqlconf(before, { configured: true })).toEqual(before);
  });

  it("in the variable and in the array where both have a value of their own", () => {
    const after = rewriteSqlconf(file("$pass = 'a';", "$config=0; $sqlconf[\"pass\"] = 'b';"), {
      pass: "new",
      configured: true,
    });
    expect(after.toString()).toContain("$pass = 'new';");
    expect(after.toString()).toContain("$config=1; $sqlconf[\"pass\"] = 'new';");
  });

  it("keeping a port that is a number one", () => {
    const body = "$sqlconf=['host'=>'h','port'=>3306,'login'=>'l','pass'=>'p','dbase'=>'d']; $config=1;";
    expect(rewriteSqlconf(php(body), { port: 3307 }).toString()).toContain("'port'=>3307,");
  });

  it("keeping bytes that are not UTF-8", () => {
    const before = Buffer.concat([file("$pass='old';"), Buffer.from("// caf\xe9 \xff\n", "latin1")]);
    const after = rewriteSqlconf(before, { pass: "new" });
    expect(after).toEqual(Buffer.from(before.toString("latin1").replace("old", "new"), "latin1"));
  });

  it("marking a site as set up even where its password comes from the environment", () => {
    const after = rewriteSqlconf(file("$pass = getenv('P');", "$config = 0;"), { configured: true });
    expect(after.toString()).toContain("$pass = getenv('P');");
    expect(after.toString()).toContain("$config = 1;");
  });

  it.each<[string, Buffer, Partial<Sqlconf>]>([
    ["the value is computed", file("$pass = getenv('P');"), { pass: "x" }],
    [
      "two values are one",
      php("$host='same';$login=$host;$sqlconf=['host'=>$host,'port'=>'1','login'=>$login,'pass'=>'p','dbase'=>'d'];"),
      { login: "x" },
    ],
    ["$config is not there", file("$pass='p';", ""), { configured: true }],
    ["there is no array", php("$pass='p';"), { pass: "x" }],
  ])("not at all when %s", (_why, content, changes) => {
    expect(() => rewriteSqlconf(content, changes)).toThrow(SqlconfError);
  });
});

interface SqlconfVectors {
  escape: { name: string; value_b64: string; php_single_quoted_literal: string }[];
  parse: {
    name: string;
    content_b64: string;
    vars: { config?: unknown } | null;
    head_connection_options: {
      dbname?: string;
      user?: string;
      password?: string;
      host?: string | null;
      port?: number | null;
    };
  }[];
}
const vectors = sharedVectors<SqlconfVectors>("sqlconf.json");
const refused = ["getenv", "heredoc", "socket", "syntax_error", "no_sqlconf_array", "empty_file"];

const whatPhpSees =
  ({ escape: literals, parse }: SqlconfVectors) =>
  () => {
    for (const { name, value_b64, php_single_quoted_literal } of literals) {
      it(`is the literal we write: ${name}`, () => {
        const value = Buffer.from(value_b64, "base64").toString();
        expect(Buffer.from(phpLiteral(value), "latin1").toString()).toBe(php_single_quoted_literal);
      });
    }
    for (const { name, content_b64, vars, head_connection_options: seen } of parse) {
      const content = Buffer.from(content_b64, "base64");
      if (refused.includes(name)) {
        it(`is more than we evaluate, and refused: ${name}`, () => {
          expect(() => parseSqlconf(content)).toThrow(SqlconfError);
        });
        continue;
      }
      it(`is what we read and what we can change: ${name}`, () => {
        const expected = {
          host: seen.host,
          port: seen.port,
          login: seen.user,
          pass: seen.password,
          dbase: seen.dbname,
        };
        expect(parseSqlconf(content)).toEqual({ ...expected, configured: Number(vars?.config) === 1 });
        const changes = { pass: "n'e\\w", configured: true };
        expect(parseSqlconf(rewriteSqlconf(content, changes))).toEqual({ ...expected, ...changes });
      });
    }
  };
if (vectors) describe("what PHP and OpenEMR themselves make of a sqlconf.php", whatPhpSees(vectors));
