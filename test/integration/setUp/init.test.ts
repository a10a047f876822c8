import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { operations } from "@openemr-ops/task/operations";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aMachine, everythingBelow, type Machine } from "../../support/aMachine.ts";
import { runInMemory } from "../../support/commandLine.ts";
import { crashAt } from "../../support/crashes.ts";
import { tcpRelay } from "../../support/tcpRelay.ts";

let machine: Machine;
beforeAll(async () => {
  machine = await aMachine();
});
afterAll(() => machine.remove());
beforeEach(() => machine.clear());

const administrator = () => [
  ...["--administrator", machine.clinic.schema.user, "--administrator-password", "env:ADMINISTRATOR_PASSWORD"],
];
const init = (...more: readonly string[]) => machine.run(["init", ...machine.options(), ...more, "--json"]);
const config = () => machine.place("etc/config.json");
const usersThere = async (): Promise<readonly string[]> => {
  const list = machine.users.map(sqlString).join(", ");
  const rows = await machine.clinic.schema.query(`SELECT User AS user FROM mysql.user WHERE User IN (${list})`);
  return rows.map(({ user }) => String(user)).sort();
};
const nothingIsThere = async () => {
  expect(await everythingBelow(machine.place(""))).toEqual({});
  expect(await usersThere()).toEqual([]);
};

/** The configuration is in order, and each of its secrets opens what it is for. */
const everySecretWorks = async () => {
  const end = await machine.run(["config", "check", "--secrets", "--config", config(), "--json"]);
  expect(end, end.stdout).toMatchObject({ exitCode: 0, json: { valid: true, warnings: [] } });
};

interface Named {
  readonly path: string;
  readonly action: string;
  readonly text?: string;
}
const filesOf = ({ json }: { readonly json: unknown }) => (json as { readonly files: readonly Named[] }).files;

interface Refusal {
  readonly what: string;
  readonly changes?: () => Readonly<Record<string, string>>;
  readonly more?: string;
  readonly says: RegExp;
  readonly exitCode?: number;
}

describe("init refuses, and changes nothing,", () => {
  it.each<Refusal>([
    {
      what: "a directory without sites",
      changes: () => ({ "--sites": machine.clinic.directory }),
      says: /--sites: no directory in/,
    },
    {
      what: "a port where no database is",
      changes: () => ({ "--database-port": "1" }),
      says: /--database-host/,
      exitCode: 4,
    },
    {
      what: "dumps that would contain themselves",
      changes: () => ({ "--destination": `file://${machine.clinic.sitesPath}/dumps` }),
      says: /--destination: and installations\[0\]\.sites\.path lie in one another/,
    },
    {
      what: "a destination that is none",
      changes: () => ({ "--destination": "dumps" }),
      says: /--destination: is no place/,
    },
    {
      what: "a state below a file",
      changes: () => ({ "--state": join(machine.clinic.sitesPath, "../sites/default/sqlconf.php/x") }),
      says: /--state: /,
    },
    {
      what: "a server without TLS, if TLS is to be",
      changes: () => ({ "--tls": "required" }),
      says: /--database-host/,
      exitCode: 4,
    },
    {
      what: "a wrong administrator",
      more: "--administrator root --administrator-password env:WRONG",
      says: /DatabaseAccessDeniedError/,
      exitCode: 4,
    },
    {
      what: "a user of its own as the administrator",
      changes: () => ({ "--administrator": machine.users[0] ?? "" }),
      more: "--administrator-password env:WRONG",
      says: /is the database's administrator/,
      exitCode: 3,
    },
    { what: "two schedulers", more: "--systemd --cron", says: /--cron: excludes --systemd/ },
    {
      what: "a password without its user",
      more: "--administrator-password x",
      says: /needs --administrator/,
    },
    {
      what: "a command for the units that is not there",
      changes: () => ({ "--root": machine.place(""), "--program": "/nowhere" }),
      more: "--systemd",
      says: /--program: .* is not there/,
    },
  ])("$what", async ({ changes, more = "", says, exitCode = 2 }) => {
    const args = ["init", ...machine.options(changes?.()), ...more.split(" ").filter(Boolean), "--json"];
    const refused = await machine.run(args, { environment: { WRONG: "canary-wrong-4711" } });
    expect(refused.stderr).toMatch(says);
    expect(refused.exitCode, refused.stderr).toBe(exitCode);
    expect(refused.stdout + refused.stderr).not.toContain("canary-wrong");
    await nothingIsThere();
  });

  it("a server whose first answer is lost, rather than ask it without TLS", async () => {
    const { host, port } = machine.clinic.schema;
    await using relay = await tcpRelay({ host: "127.0.0.1", port: 1 }, { host, port });
    const args = ["init", ...machine.options({ "--database-port": String(relay.port) }), "--json"];
    const refused = await machine.run(args);
    expect(refused, refused.stderr).toMatchObject({
      exitCode: 4,
      json: { error: { name: "DatabaseUnavailableError" } },
    });
    await nothingIsThere();
  });

  it("a user of that name with another password", async () => {
    const [user = ""] = machine.users;
    await machine.clinic.schema.query(`CREATE USER ${sqlName(user)}@'%' IDENTIFIED BY 'somebody else chose it'`);
    const refused = await init(...administrator());
    expect(refused).toMatchObject({ exitCode: 3, json: { error: { name: "DatabaseUserNotOursError" } } });
    expect(await everythingBelow(machine.place(""))).toEqual({});
  });
});

describe("init", () => {
  it("shows in a dry run all that it would write, and no password, and writes nothing", async () => {
    const end = await init(...administrator(), "--dry-run");
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { dryRun: true } });
    expect(filesOf(end).map(({ path, action }) => [relative(machine.place(""), path), action])).toEqual([
      ["etc/secrets/dump.password", "create"],
      ["etc/secrets/restore.password", "create"],
      ["etc/secrets/drill.password", "create"],
      ["etc/secrets/repository.password", "create"],
      ["etc/config.json", "create"],
    ]);
    expect(filesOf(end).map(({ text }) => text !== undefined)).toEqual([false, false, false, false, true]);
    expect(end.stdout).not.toMatch(/[0-9a-f]{40}/);
    await nothingIsThere();
  });

  it("prints commands that can be typed, also for a directory with a space", async () => {
    const directory = machine.place("my etc");
    const end = await machine.run(["init", ...machine.options({ "--directory": directory }), "--dry-run", "--json"]);
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    const { next } = end.json as { readonly next: readonly string[] };
    expect(next).toContainEqual(expect.stringMatching(`^mariadb < '${directory}/secrets/users.sql' `));
    expect(next).toContain(`openemr-ops doctor --config '${directory}/config.json'`);
  });

  it("warns where OpenEMR's data crosses the network unencrypted", async () => {
    const end = await machine.run([
      "init",
      ...machine.options({ "--database-host": "0.0.0.0" }),
      "--dry-run",
      "--json",
    ]);
    expect(end, end.stderr).toMatchObject({
      exitCode: 0,
      json: {
        warnings: ["database", "dumps.drill.database"].map(
          (field) => `installations[0].${field}.tls is off: patient data crosses the network unencrypted`,
        ),
      },
    });
  });

  it("makes a configuration whose secrets all work, and run again changes nothing", async () => {
    const end = await init(...administrator());
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { warnings: [] } });
    expect(end.stdout).toContain("keep a copy of");
    const made = await everythingBelow(machine.place("etc"));
    const modes = Object.entries(made).map(([path, text]) => [path, text.slice(0, 3)]);
    expect(Object.fromEntries(modes)).toEqual({
      "config.json": "600",
      secrets: "700",
      "secrets/dump.password": "600",
      "secrets/restore.password": "600",
      "secrets/drill.password": "600",
      "secrets/repository.password": "600",
    });
    await everySecretWorks();

    const again = await init(...administrator());
    expect(again, again.stderr).toMatchObject({ exitCode: 0, json: { users: [] } });
    expect(filesOf(again).map(({ action }) => action)).toEqual(["keep"]);
    expect(await everythingBelow(machine.place("etc"))).toEqual(made);
  });

  it("without an administrator writes the statements for one, without a password in clear", async () => {
    const end = await init();
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    expect(await usersThere()).toEqual([]);
    const path = machine.place("etc/secrets/users.sql");
    expect(end.stdout).toContain(`mariadb < ${path}`);
    const sql = await readFile(path, "utf8");
    const made = ["dump", "restore", "drill"].map((role) => machine.place(`etc/secrets/${role}.password`));
    for (const file of made) expect(sql).not.toContain((await readFile(file, "utf8")).trim());
    const { socket, user, password } = machine.clinic.schema;
    const client = ["--no-defaults", `--socket=${socket}`, `--user=${user}`];
    for (const _ of ["once", "twice"])
      execFileSync(findTool("mariadb") ?? "", client, { input: sql, env: { ...process.env, MYSQL_PWD: password } });
    await everySecretWorks();
    expect(await usersThere()).toEqual([...machine.users].sort());
  });

  it("asks on a terminal for what it cannot know, and writes nothing on a no", async () => {
    const { clinic, place } = machine;
    const asked: string[] = [];
    const answers: Readonly<Record<string, string>> = {
      "OpenEMR's sites": clinic.sitesPath,
      "What the": "clinic-b",
      "Where dumps": place("elsewhere"),
      "Who may": clinic.schema.user,
      "The password": clinic.schema.password,
    };
    const prompt = async (question: string, { hidden = false } = {}) => {
      asked.push(`${hidden ? "hidden: " : ""}${question}`);
      return Object.entries(answers).find(([start]) => question.startsWith(start))?.[1] ?? "";
    };
    const places = ["--directory", place("etc"), "--state", place("state")];
    const answer = (yes: boolean) =>
      runInMemory(["init", ...places], operations, { cwd: "/", ask: async () => yes, prompt });
    expect(await answer(false)).toMatchObject({ exitCode: 4 });
    await nothingIsThere();

    const end = await answer(true);
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    expect(asked.filter((question) => question.startsWith("hidden"))).toHaveLength(2);
    expect(await answer(true)).toMatchObject({ exitCode: 0 }); // all is there: nothing is left to ask
    expect(asked).toHaveLength(2 * 5);
    expect(end.stdout + end.stderr).not.toContain(clinic.schema.password);
    const written = JSON.parse(await readFile(config(), "utf8"));
    expect(written.installations[0]).toMatchObject({
      id: "clinic-b",
      sites: { path: clinic.sitesPath },
      dumps: { destination: `file://${place("elsewhere")}` },
    });
    expect(await usersThere()).toEqual([...machine.users].sort());
  });

  it("is killed before any of its effects, and run again makes the whole", { timeout: 180_000 }, async () => {
    const args = ["init", ...machine.options(), ...administrator(), "--json"];
    const whole = await crashAt(machine, args, 0, machine.clinic.directory);
    expect(whole, whole.stderr).toMatchObject({ exitCode: 0 });
    const links = whole.effects.filter((effect) => effect.startsWith("link "));
    expect(links.map((effect) => effect.replace(/.*\//, ""))).toEqual([
      ...["dump", "restore", "drill", "repository"].map((name) => `${name}.password`),
      "config.json",
    ]);
    const statements = whole.effects.filter((effect) => effect.startsWith("sql "));
    expect(statements).toHaveLength(3 + 5);
    // The configuration is last: who finds one finds all that it names.
    expect(whole.effects.indexOf(links.at(-1) ?? "")).toBeGreaterThan(whole.effects.indexOf(statements.at(-1) ?? ""));

    const number = (effect = "") => whole.effects.indexOf(effect) + 1;
    const points = [links[1], statements[0], statements[3], statements.at(-1), links.at(-1)].map(number);
    for (const point of points) {
      await machine.clear();
      const run = await crashAt(machine, args, point, machine.clinic.directory);
      expect(run.killed, run.stderr).toBe(true);
      const before = await everythingBelow(machine.place(""));
      expect(before["etc/config.json"]).toBeUndefined();
      const next = await init(...administrator());
      expect(next, next.stderr).toMatchObject({ exitCode: 0 });
      // A password that was written down stays: a user may have it already.
      const after = await everythingBelow(machine.place(""));
      for (const [path, content] of Object.entries(before))
        if (path.endsWith(".password")) expect(after[path]).toBe(content);
      expect(await usersThere()).toEqual([...machine.users].sort());
    }
    await everySecretWorks();
  });
});
