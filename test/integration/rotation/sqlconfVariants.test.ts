import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SqlconfError } from "@openemr-ops/core/errors";
import { parseSqlconf, rewriteSqlconf } from "@openemr-ops/openemr/sqlconf";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type PhpReading, phpReads } from "../../support/phpReads.ts";
import { aTree } from "../../support/sitesTree.ts";
import { before, sqlconfVariants } from "../../support/sqlconfVariants.ts";

const changes = { login: "clinic_b", pass: "n'e\\w $é?>\n" };
const bytes = (text: string): string => Buffer.from(text).toString("latin1");
const understood = sqlconfVariants.filter(({ refused }) => refused === undefined);

/** What OpenEMR connects with, of a reading; texts are bytes. */
const connectionOf = ({ sqlconf }: PhpReading) => ({
  host: sqlconf?.host,
  port: Number(sqlconf?.port),
  login: `${sqlconf?.login}`,
  pass: `${sqlconf?.pass}`,
  dbase: sqlconf?.dbase,
});

/** Everything else that the file leaves behind, and what it prints. */
const restOf = ({ output, variables, sqlconf }: PhpReading) => {
  const ours = ["sqlconf", "login", "pass"];
  const entries = Object.entries({ ...variables, ...sqlconf });
  return { output, rest: entries.filter(([name]) => !ours.includes(name)).sort() };
};

it("a sqlconf.php in any form that is understood is rewritten so that PHP reads the new login and the rest as before", async () => {
  const files = understood.flatMap(({ content }, index) => [
    [`${index}-before.php`, content] as const,
    [`${index}-after.php`, rewriteSqlconf(content, changes)] as const,
  ]);
  const root = await aTree(Object.fromEntries(files));
  const readings = await phpReads(files.map(([name]) => join(root, name)));

  expect(understood.length).toBeGreaterThanOrEqual(40);
  for (const [index, { name, content }] of understood.entries()) {
    const [was, is] = [readings[2 * index], readings[2 * index + 1]];
    for (const where of [0, 1] as const) {
      const [old, now] = [was?.[where], is?.[where]];
      if (!old || !now) throw new Error("not read");
      expect(connectionOf(old), name).toEqual(before);
      expect(connectionOf(now), name).toEqual({ ...before, login: changes.login, pass: bytes(changes.pass) });
      expect(restOf(now), name).toEqual(restOf(old));
      for (const field of ["login", "pass"] as const)
        if (field in now.variables) expect(now.variables[field], name).toBe(bytes(changes[field]));
      expect([true, 1], name).toContain(now.variables.config);
    }
    expect(parseSqlconf(content), name).toEqual({ ...before, configured: true });
    expect(parseSqlconf(rewriteSqlconf(content, changes)), name).toEqual({ ...before, ...changes, configured: true });
  }
});

it.each(sqlconfVariants.filter(({ refused }) => refused !== undefined))(
  "a sqlconf.php with $name is refused by name, and nothing is changed",
  async ({ content, refused = /never/ }) => {
    const root = await aTree({ "default/sqlconf.php": content });
    const rewrite = async () => {
      const found = await readFile(join(root, "default/sqlconf.php"));
      parseSqlconf(found);
      return rewriteSqlconf(found, changes);
    };

    await expect(rewrite()).rejects.toThrow(SqlconfError);
    await expect(rewrite()).rejects.toThrow(refused);
    await expect(rewrite()).rejects.not.toThrow(/canary/);
    expect(await readFile(join(root, "default/sqlconf.php"))).toEqual(content);
    expect(await readdir(join(root, "default"))).toEqual(["sqlconf.php"]);
  },
);

/** Statements that change what a file connects with, or seem to. */
const statements = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("$pass", "$login", "$sqlconf['pass']", '$sqlconf["login"]', "$other", "$config"),
      fc.array(
        fc.constantFrom(
          "'x'",
          '"y\\x41"',
          "$pass",
          "$login",
          "$other",
          "$sqlconf['pass']",
          "P",
          "Q",
          "7",
          "getenv('NO')",
          "('z')",
          "null",
          "$_ENV['NO']",
        ),
        { minLength: 1, maxLength: 3 },
      ),
      fc.constantFrom(" . ", " ?: ", " ?? ", ".", " ? 'a' : "),
    )
    .map(([to, parts, between]) => `${to} = ${parts.join(between)};`),
  fc.constantFrom(
    "define('P', 'p');",
    "const Q = 'q';",
    "define('Q', $pass);",
    "const P = 'another' . 'p';",
    "global $sqlconf;",
    "global $pass, $other;",
    "$sqlconf = array();",
    "$sqlconf = ['pass' => $pass, 'login' => 'l', 'host' => $host, 'port' => 1, 'dbase' => 'd', 3 => 'x', [1]];",
    "$other = ['pass' => 'x', 'y'];",
    "$pass = $other['pass'];",
    "$GLOBALS['pass'] = 'x';",
    "$pass .= 'x';",
    "// $pass = 'no'; ?" + "> <?php",
    "# $login = 'no';",
    "/* $pass = 'no'; */",
    "unset($pass);",
    "$copy = $sqlconf; $copy['pass'] = 'x';",
  ),
);

it("no file is read otherwise than PHP reads it: what is not refused connects with the same login, before and after a change", async () => {
  const first = "$host = 'h'; $login = 'l'; $pass = 'p'; $other = 'o';";
  const array =
    "$sqlconf = array(); $sqlconf['host'] = $host; $sqlconf['port'] = '1'; $sqlconf['login'] = $login; $sqlconf['pass'] = $pass; $sqlconf['dbase'] = 'd';";
  const some = fc.array(statements, { maxLength: 4 });
  const files = fc.sample(fc.tuple(some, some), 300).flatMap(([one, two]) => {
    const content = Buffer.from(["<?php", first, ...one, array, ...two, "$config = 1;", ""].join("\n"));
    try {
      return [{ content, sqlconf: parseSqlconf(content), changed: rewriteSqlconf(content, changes) }];
    } catch (error) {
      expect(error).toBeInstanceOf(SqlconfError);
      return [];
    }
  });
  const named = files.flatMap(({ content, changed }, index) => [
    [`${index}-a.php`, content] as const,
    [`${index}-b.php`, changed] as const,
  ]);
  const root = await aTree(Object.fromEntries(named));
  const readings = await phpReads(named.map(([name]) => join(root, name)));

  expect(files.length).toBeGreaterThan(20);
  for (const [index, { content, sqlconf }] of files.entries()) {
    const { configured: _, ...connection } = sqlconf;
    for (const reading of readings[2 * index] ?? []) expect(connectionOf(reading), `${content}`).toEqual(connection);
    for (const reading of readings[2 * index + 1] ?? [])
      expect(connectionOf(reading), `${content}`).toEqual({
        ...connection,
        login: changes.login,
        pass: bytes(changes.pass),
      });
  }
});
