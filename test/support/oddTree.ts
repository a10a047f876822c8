import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  type PathLike,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { aSite } from "./sitesTree.ts";

/** Names that shells, globs, listings and archives stumble over; bytes as Latin-1, for not all are UTF-8. */
export const oddNames: readonly string[] = [
  ..."*?[]{}!#&;|<>$`'\"\\~%^=+@,:".split("").map((letter) => `a${letter}b`),
  ...[
    " ",
    "  leading",
    "trailing  ",
    "-rf",
    "--help",
    "-",
    ".hidden",
    "...",
    "~",
    "new\nline",
    "tab\there",
    "bell\x07",
    "\x7f",
  ],
  ...[
    "[ab]*",
    "$(touch x)",
    "`touch x`",
    "a\\nb",
    "a\\",
    "x.php~",
    "#x#",
    "CON",
    "nul",
    "line\r\nend",
    "%2e%2e%2f",
    "a%00b",
  ],
  ...["Ünïcödé", "漢字", "🩺", "e\u0301", "\u00e9", "\u202egnp", "\ufeffbom"].map((name) =>
    Buffer.from(name).toString("latin1"),
  ),
  ...["latin1 caf\xe9", "\xff\xfe", "\x80", "half \xc3"],
  `${"n".repeat(251)}.pdf`,
  "-rw-r--r-- 0 0 12 2026-01-01 00:00 listed",
];

/** What no dump carries, as paths below the sites directory. Their directories stay. */
export const leftOut: readonly string[] = [
  "default/documents/smarty/gacl/cached.php",
  "default/documents/smarty/main/deep/er/cached.php",
  "default/documents/mpdf/pdf_tmp/page",
  "default/documents/temp/upload",
  "default/documents/logs_and_misc/_cache/entry",
  "default/faxcache/fax",
  "default/documents/.sqlconf-12.php",
  "second.site/documents/temp/upload",
  "docker-leader",
  "docker-initiated",
  "docker-completed",
  ".openemr-ops-replaced/default/old",
];

/** Looks like what is left out, and is not. */
const kept: readonly string[] = [
  "default/documents/temporary",
  "default/documents/5/temp/upload",
  "default/documents/docker-completed",
  "default/docker-leader",
  "default/documents/smarty/main.php",
  "default/documents/logs_and_misc/_cached",
  "docker-completed.bak",
];

const bytes = (root: string, path: string): PathLike =>
  Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);

/** A `sites` directory with every kind of entry; with owners of others where this process may give them. */
export const anOddTree = async (root: string, database: string): Promise<void> => {
  await aSite(root, database);
  const write = (path: string, content: string | Buffer = path) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  for (const path of [...leftOut, ...kept]) write(path);

  mkdirSync(join(root, "default/documents/odd"));
  for (const name of oddNames) writeFileSync(bytes(root, `default/documents/odd/${name}`), Buffer.from(name, "latin1"));
  mkdirSync(bytes(root, "default/documents/caf\xe9"));
  writeFileSync(bytes(root, "default/documents/caf\xe9/in it"), "in it");
  writeFileSync(bytes(root, "top caf\xe9"), "at the top");
  mkdirSync(join(root, "-directory with *"));
  write("-directory with */file");
  const deep = Array.from({ length: 12 }, (_, index) => `${index}${"d".repeat(200)}`).join("/");
  write(`default/documents/${deep}/deep`);

  for (const path of ["empty", "empty/below", "default/documents/nothing"]) mkdirSync(join(root, path));
  write("default/documents/0-byte", Buffer.alloc(0));
  write("default/documents/holes", Buffer.concat([Buffer.alloc(3_000_000), Buffer.from("end")]));
  write("default/documents/zeros", Buffer.alloc(100_000));
  linkSync(join(root, "default/documents/zeros"), join(root, "default/documents/another name of zeros"));

  const links = {
    inside: "documents",
    "to a file": "documents/zeros",
    dangling: "nowhere/at/all",
    absolute: "/etc/hostname",
    "to itself": "to itself",
    long: "x/".repeat(1500),
    "odd\nlink": " * \n'",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, "default", name));
  spawnSync("mkfifo", [join(root, "default/pipe")]);

  const modes = { sqlconf: 0o400, secret: 0, all: 0o777, setuid: 0o4755, sticky: 0o1644, read: 0o444 };
  for (const [name, mode] of Object.entries(modes)) {
    write(`default/modes/${name}`);
    chmodSync(join(root, "default/modes", name), mode);
    mkdirSync(join(root, "default/modes", `${name} directory`));
    chmodSync(join(root, "default/modes", `${name} directory`), mode);
  }
  chmodSync(join(root, "default/modes"), 0o500);

  if (process.getuid?.() === 0) {
    const owned = ["default/sqlconf.php", "default/documents", "empty", "default/inside", "default/documents/zeros"];
    for (const path of owned) lchownSync(join(root, path), 1000, 101);
    lchownSync(join(root, "default/documents/0-byte"), 4_000_000_000, 65_534);
    lchownSync(root, 1000, 1000);
  }
  const times = {
    "default/documents/zeros": 946_684_799.123456,
    empty: 1.5,
    "default/documents/0-byte": 4_102_444_800.999,
  };
  for (const [path, at] of Object.entries(times)) utimesSync(join(root, path), at, at);
  lutimesSync(join(root, "default/dangling"), 1_000_000_000.25, 1_000_000_000.25);
  utimesSync(join(root, "default/documents"), 1_234_567_890.123, 1_234_567_890.123);
  chmodSync(root, 0o750);
};
