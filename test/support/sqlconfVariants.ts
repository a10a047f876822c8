/** A `sqlconf.php` as people have it, and what becomes of it when its login changes. */
export interface SqlconfVariant {
  readonly name: string;
  readonly content: Buffer;
  /** It is refused, and the message matches. */
  readonly refused?: RegExp;
}

/** What every variant connects with before the change. */
export const before = { host: "db.example", port: 3307, login: "clinic", pass: "old 'canary'", dbase: "emr" } as const;

const connection = `$host = 'db.example';
$port = '3307';
$login = 'clinic';
$pass = 'old \\'canary\\'';
$dbase = 'emr';`;
const array = `$sqlconf = array();
global $sqlconf;
$sqlconf["host"] = $host;
$sqlconf["port"] = $port;
$sqlconf["login"] = $login;
$sqlconf["pass"] = $pass;
$sqlconf["dbase"] = $dbase;`;
const lines = ["<?php", "// where the rows are", connection, "", array, "", "$config = 1;", "?>", ""];
const usual = lines.join("\n");

/** The usual file with a piece replaced, which must be there. */
const having = (piece: string, other: string, text = usual): string => {
  if (!text.includes(piece)) throw new Error(`the usual file has no ${piece}`);
  return text.replace(piece, () => other);
};
const pass = "$pass = 'old \\'canary\\'';";
const login = "$login = 'clinic';";
const end = "$config = 1;";

const understood: Readonly<Record<string, string | Buffer>> = {
  "as an installer writes it": usual,
  "tabs before the equals signs": usual.replace(/^(\$\w+) = /gm, "$1\t= "),
  "Windows line ends": usual.replaceAll("\n", "\r\n"),
  "line ends of an old Mac": usual.replaceAll("\n", "\r"),
  "mixed line ends": usual.replace(/;\n/g, ";\r\n"),
  "a byte order mark": `\ufeff${usual}`,
  "an empty line before it begins": `\n${usual}`,
  "spaces at the ends of lines": usual.replaceAll(";\n", ";  \t\n"),
  "no closing tag": having("?>\n", ""),
  "no line end at its end": having("?>\n", "?>"),
  "empty lines after its end": `${usual}\n\n`,
  "double quotes": usual.replace(/'(db\.example|3307|clinic|emr)'/g, '"$1"').replace(pass, `$pass = "old 'canary'";`),
  "escapes in double quotes": having(pass, `$pass = "old\\x20\\'canary\\47";`).replace("\\'c", "'c"),
  "a comment behind a value": having(pass, `${pass} # it's "the" password ?`),
  "comments between": having(pass, `$pass /* its */ = // here\n  # or here\n 'old \\'canary\\'' /* ; */ ;`),
  "an assignment inside a comment": having(pass, `// $pass = 'no';\n/* $login = 'no'; */\n${pass}`),
  "all in one line": usual.replace("// where the rows are\n", "").replaceAll("\n", " ").replace("<?php ", "<?php\n"),
  "a port that is a number": having("'3307'", "3307"),
  "constants made by define": having(
    connection,
    `define('OE_DB_HOST', 'db.example');
define("OE_DB_PASS", 'old \\'canary\\'');
$host = OE_DB_HOST; $port = '3307'; $login = 'clinic'; $pass = OE_DB_PASS; $dbase = 'emr';`,
  ),
  "constants made by const": having(
    connection,
    `const DB_USER = 'clinic';
const DB_PASS = 'old \\'canary\\'';
$host = 'db.example'; $port = '3307'; $login = DB_USER; $pass = DB_PASS; $dbase = 'emr';`,
  ),
  "a constant made of a constant": having(
    pass,
    "define('FIRST', 'old \\'canary\\''); define('SECOND', FIRST); $pass = SECOND;",
  ),
  "two assignments of one variable": having(pass, `$pass = 'first';\n${pass}`),
  "the whole file twice": usual.replace("?>\n", lines.slice(2).join("\n")),
  "a variable that changes after the array took it": having(end, `$pass = 'another'; $login = 'another';\n${end}`),
  "values of the array's own": having(end, `$sqlconf['pass'] = 'old \\'canary\\'';\n${end}`),
  "an array literal": having(
    array,
    "$sqlconf = ['host' => $host, 'port' => $port, 'login' => $login, 'pass' => $pass, 'dbase' => $dbase];",
  ),
  "a long array literal": having(
    array,
    "$sqlconf = array(\n  'host' => $host, // a comment\n  'port' => $port,\n  'login' => $login,\n  'pass' => $pass,\n  'dbase' => $dbase,\n);",
  ),
  "variables taken from the array": `<?php
$sqlconf = ['host' => 'db.example', 'port' => 3307, 'login' => 'clinic', 'pass' => 'old \\'canary\\'', 'dbase' => 'emr'];
$host = $sqlconf['host']; $port = $sqlconf["port"]; $login = $sqlconf['login']; $pass = $sqlconf['pass'];
$dbase = $sqlconf['dbase']; $config = 1;
`,
  "only the array": `<?php
$sqlconf = array(); $sqlconf['host'] = 'db.example'; $sqlconf['port'] = '3307'; $sqlconf['login'] = 'clinic';
$sqlconf['pass'] = 'old \\'canary\\''; $sqlconf['dbase'] = 'emr'; $config = 1;
`,
  "a value of pieces": having(login, "$part = 'cli';\n$login = $part . 'nic';"),
  "a value in parentheses": having(pass, "$pass = ('old \\'canary\\'');"),
  "a flag of the character set": having(
    connection,
    `global $disable_utf8_flag;\n$disable_utf8_flag = false;\n${connection}`,
  ),
  "an encoding": having(end, `$db_encoding = 'utf8mb4'; $sqlconf["db_encoding"] = $db_encoding;\n${end}`),
  "options of TLS": having(
    end,
    `$sqlconf['ssl'] = true; $sqlconf['ssl_ca'] = '/etc/ssl/db.pem'; $tls = ['verify' => 1];\n${end}`,
  ),
  "variables of its own": having(
    end,
    `$practice = 'O\\'Brien $5'; $n = 5; $none = null; $more = ['a' => 'b', 'c' => 1.5];\n${end}`,
  ),
  "a variable from the environment": having(
    end,
    `$stage = getenv('STAGE') ?: 'live'; $zone = $_ENV['ZONE'] ?? null;\n${end}`,
  ),
  "$config that is true": having("$config = 1;", "$config = true;"),
  "bytes that are not UTF-8": Buffer.concat([
    Buffer.from(usual.replace("?>\n", "// caf")),
    Buffer.from([0xe9, 0x0a]),
    Buffer.from("$name = '\u00fc';\n"),
  ]),
  "upper case where PHP allows it": usual
    .replace("<?php", "<?PHP")
    .replace("array()", "ARRAY()")
    .replace("global", "GLOBAL"),
  "a password that looks like PHP": having(pass, "$old = '?><?php $pass = 1; //'; $pass = 'old \\'canary\\'';"),
};

const refused: Readonly<Record<string, readonly [content: string, message: RegExp]>> = {
  "a heredoc": [having(pass, "$pass = <<<EOT\nold 'canary'\nEOT;"), /line 6: a heredoc/],
  "a nowdoc": [having(pass, "$pass = <<<'EOT'\nold 'canary'\nEOT;"), /line 6: a heredoc/],
  "a text that contains a variable": [
    having(pass, '$x = "old \'canary\'"; $pass = "$x";'),
    /line 6: a text that contains a variable/,
  ],
  "a password from the environment": [
    having(pass, "$pass = getenv('CANARY');"),
    /line 6: a value that is computed from the environment/,
  ],
  "a file that is included": [having(pass, "include 'pass.php';"), /line 6: only assignments/],
  "a function that is called": [having(pass, "$pass = trim('old \\'canary\\'');"), /line 6: a value that is computed/],
  "a text that is called": [having(end, `$x = 'extract'($_ENV);\n${end}`), /line 17: a value that is computed/],
  "a function with the environment in hand": [
    having(end, `$x = $_SERVER['f']('canary');\n${end}`),
    /line 17: a value that is computed/,
  ],
  "a condition": [having(pass, `if (true) { ${pass} }`), /line 6: only assignments/],
  "a constant that may be there already": [
    having(pass, "defined('P') or define('P', 'canary'); $pass = P;"),
    /line 6: only assignments/,
  ],
  "a constant of another file": [having(pass, "$pass = DB_PASS;"), /line 6: a value that is computed/],
  "a constant that PHP has": [having(pass, "define('PHP_OS', 'canary'); $pass = PHP_OS;"), /line 6: /],
  "a constant without regard to case": [having(pass, "define('P', 'canary', true); $pass = p;"), /line 6: /],
  "a variable of the global scope": [having(end, `$GLOBALS['pass'] = 'canary';\n${end}`), /line 17: only assignments/],
  "a value that a function does not see": [having(end, `global $host, $pass;\n${end}`), /line 17: /],
  "two values in one literal": [
    having(`${login}\n${pass}`, "$login = 'clinic'; $pass = $login;"),
    /\$login cannot be set on its own/,
  ],
  "a character that does not exist": [having(end, `$x = "\\u{d800000}";\n${end}`), /line 17: /],
  "an escape that PHP refuses": [having(end, `$x = "\\u{zz}";\n${end}`), /line 17: /],
  "a missing semicolon": [having(pass, pass.replace(";", "")), /line 6: |line 7: /],
  "a missing quote": [having(pass, "$pass = 'canary;"), /line \d+: /],
  "a word in place of a value": [having(pass, "$pass = constructor;"), /line 6: /],
  "a connection through a socket": [having(end, `$sqlconf['socket'] = '/run/db';\n${end}`), /socket/],
  "a text after its end": [`${usual}canary`, /line 18: text after the closing/],
  "a second block of PHP": [`${usual}<?php $pass = 'canary';`, /line 18: text after the closing/],
  "a password that is no text": [having(pass, "$pass = null;"), /line 6: \$sqlconf\["pass"\] is not a text/],
  "a condition behind an early end": [having(end, `return;\n${end}`), /line 17: only assignments/],
  "parentheses without number": [
    having(pass, `$pass = ${"(".repeat(10_000)}'canary'${")".repeat(10_000)};`),
    /line 6: /,
  ],
  nothing: ["", /empty/],
};

export const sqlconfVariants: readonly SqlconfVariant[] = [
  ...Object.entries(understood).map(([name, content]) => ({ name, content: Buffer.from(content) })),
  ...Object.entries(refused).map(([name, [content, message]]) => ({
    name,
    content: Buffer.from(content),
    refused: message,
  })),
];
