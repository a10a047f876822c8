import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArguments } from "@openemr-ops/cli/arguments";
import { connect } from "@openemr-ops/database/connection";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { hashPassword, opens as isOpenedBy } from "@openemr-ops/openemr/passwordHash";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema, tlsOf } from "../../support/database.ts";
import { type PhpPage, startPhpPage } from "../../support/phpPage.ts";
import { type ProgramEnd, realProgram } from "../../support/realCommandLine.ts";
import { aSqlconf } from "../../support/sitesTree.ts";

let schema: FreshSchema;
let directory: string;
let page: PhpPage;
const site = (name = "default") => join(directory, "sites", name, "sqlconf.php");
const file = (name: string) => join(directory, name);
const administrator = () => `${schema.name}_adm`;
const firstPassword = "first'password\\";

const sqlconf = (user: string, password: string): string =>
  aSqlconf({ host: schema.host, port: schema.port, user, password, database: schema.name });

const written = () => ({
  installations: [
    {
      id: "clinic-a",
      platform: { kind: "host" },
      database: {
        host: schema.host,
        port: schema.port,
        name: schema.name,
        user: schema.dumpUser.user,
        passwordFile: "dump.password",
        ...tlsOf(schema),
      },
      sites: { path: "sites" },
      rotations: {
        database: {
          slots: "slots.json",
          administrator: { user: administrator(), passwordFile: "admin.password" },
          settleSeconds: 1, // the restart command empties PHP's cache
        },
        admin: { secret: "oe-admin.json", user: "admin" },
        master: {},
        redeploy: { command: page.restart, limitSeconds: 60 },
      },
      health: { url: page.url, bodyIncludes: "ok" },
    },
  ],
});
type Written = ReturnType<typeof written>["installations"][number];

const configure = async (change: (installation: Written) => object = (one) => one): Promise<void> => {
  const installations = written().installations.map(change);
  await writeFile(file("c.json"), JSON.stringify({ installations }));
};

const ops = (...args: readonly string[]) => realProgram([...args, "--config", file("c.json"), "--json"]).ended;
const succeeded = async (...args: readonly string[]): Promise<unknown> => {
  const end = await ops(...args);
  expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0 });
  return end.json;
};

const live = async (name?: string) => parseSqlconf(await readFile(site(name)));
const opens = async (user: string, password: string): Promise<boolean> => {
  try {
    await using _ = await connect(accessOf(schema, { user, password }));
    return true;
  } catch {
    return false;
  }
};

beforeAll(async () => {
  schema = await freshSchema();
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-rotation-"));
  await mkdir(file("sites/default"), { recursive: true });
  await mkdir(file("sites/clinic-two"), { recursive: true });
  const app = `${schema.name}_app`;
  await schema.query(`CREATE USER ${sqlName(app)}@'%' IDENTIFIED BY ${sqlString(firstPassword)}`);
  await schema.query(`GRANT ALL PRIVILEGES ON ${sqlName(schema.name)}.* TO ${sqlName(app)}@'%'`);
  await schema.query("CREATE TABLE globals (gl_name VARCHAR(63) NOT NULL, gl_index INT NOT NULL, gl_value TEXT)");
  await schema.query("CREATE TABLE version (v_major INT, v_minor INT, v_patch INT, v_database INT)");
  await schema.query("INSERT INTO version VALUES (8, 1, 0, 541)");
  const adminPassword = `canary-admin-${randomBytes(8).toString("hex")}`;
  await schema.query(`CREATE USER ${sqlName(administrator())}@'%' IDENTIFIED BY ${sqlString(adminPassword)}`);
  await schema.query(`GRANT ALL PRIVILEGES ON *.* TO ${sqlName(administrator())}@'%' WITH GRANT OPTION`);
  for (const name of ["default", "clinic-two"])
    await writeFile(site(name), sqlconf(app, firstPassword), { mode: 0o400 });
  await writeFile(file("dump.password"), schema.dumpUser.password, { mode: 0o600 });
  await writeFile(file("admin.password"), `${adminPassword}\n`, { mode: 0o600 });
  page = await startPhpPage(directory, file("sites"));
  await configure();
});
afterAll(async () => {
  await page?.stop();
  const users = await schema.query(`SELECT User FROM mysql.user WHERE User LIKE '${schema.name}%'`);
  const own = [schema.dumpUser.user, schema.restoreUser.user];
  for (const { User: user } of users)
    if (!own.includes(String(user))) await schema.query(`DROP USER IF EXISTS ${sqlName(String(user))}@'%'`);
  await schema.drop();
  await rm(directory, { recursive: true, force: true });
});

/** Contents of all files below the directory, and what the program printed. */
const leftBehind = async (ends: readonly ProgramEnd[]): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>(ends.map((end, index) => [`output ${index}`, `${end.stdout}${end.stderr}`]));
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(path.slice(directory.length + 1), await readFile(path, "latin1"));
  }
  return found;
};

/** Looks at the processes of this machine and of the server, again and again, until it is stopped. */
const watchProcesses = (seen: Set<string>) => {
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      for (const name of await readdir("/proc"))
        if (/^\d+$/.test(name)) {
          const read = (what: string) => readFile(join("/proc", name, what), "latin1").catch(() => "");
          seen.add(`${await read("cmdline")}\0${await read("environ")}`);
        }
      await sleep(20);
      for (const { Info } of await schema.query("SHOW FULL PROCESSLIST")) seen.add(String(Info ?? ""));
    }
  })();
  return async () => {
    stopped = true;
    await done;
  };
};

describe("rotate database", () => {
  it("shows first what it would do, and changes nothing", async () => {
    const before = await leftBehind([]);
    const users = () => schema.query(`SELECT User, authentication_string FROM mysql.user ORDER BY User`);
    const accounts = (await users()).filter(({ User }) => String(User).startsWith(schema.name));
    expect(await succeeded("rotate", "database", "--dry-run")).toMatchObject({
      dryRun: true,
      activeSlot: "B",
      sites: ["clinic-two", "default"],
      redeploy: "run sh",
      continues: false,
    });
    expect(await leftBehind([])).toEqual(before);
    expect((await users()).filter(({ User }) => String(User).startsWith(schema.name))).toEqual(accounts);
  });

  it("shows that to a database user with only SELECT too, on a file system that nobody can write to", {
    timeout: 120_000,
  }, async () => {
    const reader = `${schema.name}_reader`;
    await schema.query(`CREATE USER ${sqlName(reader)}@'%' IDENTIFIED BY 'reads'`);
    await schema.query(`GRANT SELECT ON *.* TO ${sqlName(reader)}@'%'`);
    await writeFile(file("reader.password"), "reads", { mode: 0o600 });
    await configure((one) => ({
      ...one,
      rotations: {
        ...one.rotations,
        database: { ...one.rotations.database, administrator: { user: reader, passwordFile: "reader.password" } },
      },
    }));
    const before = await leftBehind([]);
    const readOnly = `mount --bind '${directory}' '${directory}' && mount -o remount,ro,bind '${directory}' && exec "$@"`;
    const args = ["rotate", "database", "--dry-run", "--config", file("c.json"), "--json"];
    const end = await realProgram(args, ["unshare", "--mount", "sh", "-c", readOnly, "sh"]).ended;
    expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0, json: { dryRun: true, activeSlot: "B" } });
    expect(await leftBehind([])).toEqual(before);
    await configure();
  });

  it("four times gives four passwords, refuses each former one, and leaves none of them anywhere else", {
    timeout: 900_000,
  }, async () => {
    const passwords = new Map<string, string>([[firstPassword, `${schema.name}_app`]]);
    const ends: ProgramEnd[] = [];
    const seen = new Set<string>();
    const stop = watchProcesses(seen);
    const secrets = new Set([...passwords.keys(), (await readFile(file("admin.password"), "utf8")).trim()]);
    for (let run = 1; run <= 4; run++) {
      const end = await ops("rotate", "database");
      ends.push(end);
      expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0 });
      const result = end.json as Record<string, unknown>;
      expect(Object.keys(result)).toEqual(["activeSlot", "user", "sites", "proven", "retired", "seconds"]);
      const { login, pass } = await live();
      expect(result).toMatchObject({
        activeSlot: run % 2 === 1 ? "B" : "A",
        user: login,
        sites: ["clinic-two", "default"],
        proven: ["clinic-two", "default"],
      });
      expect(await live("clinic-two")).toEqual(await live());
      const slots = JSON.parse(await readFile(file("slots.json"), "utf8"));
      expect(slots).toMatchObject({ active_slot: result.activeSlot, [String(result.activeSlot)]: { username: login } });
      for (const { password } of [slots.A, slots.B]) secrets.add(password);
      expect(passwords.has(pass)).toBe(false);
      for (const [former, user] of passwords) expect(await opens(user, former), `run ${run}`).toBe(false);
      expect(await opens(login, pass)).toBe(true);
      passwords.set(pass, login);
      expect(await page.body()).toBe("ok");
      for (const name of ["slots.json", "slots.json.previous"])
        if (run > 1) expect((await stat(file(name))).mode & 0o777).toBe(0o600);
    }
    await stop();
    expect(passwords.size).toBe(5);
    expect(await page.restarts()).toBe(4);
    const ours = /^(slots\.json(\.\w+)?|admin\.password|sites\/[^/]+\/sqlconf\.php)$/;
    for (const [place, text] of await leftBehind(ends))
      if (!ours.test(place)) for (const secret of secrets) expect(text.includes(secret), place).toBe(false);
    expect(seen.size).toBeGreaterThan(10);
    for (const text of seen) for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  });

  it("shows live progress, step by step", async () => {
    const end = await ops("rotate", "database");
    for (const step of ["look", "switch", "settle", "health", "redeploy", "retire"]) expect(end.stderr).toContain(step);
  });

  describe("when OpenEMR does not come back", () => {
    it.each<{ what: string; redeploy: object; health?: object; name: string; says: RegExp }>([
      {
        what: "the restart command fails",
        redeploy: { command: ["sh", "-c", "echo canary; exit 7"] },
        name: "DeploymentFailedError",
        says: /\(sh\) ended with status 7/,
      },
      {
        what: "its page does not hold what a healthy one holds",
        redeploy: { command: ["true"], limitSeconds: 4 },
        health: { bodyIncludes: "never" },
        name: "InstallationUnhealthyError",
        says: /not healthy after 4 seconds/,
      },
    ])(
      "because $what, it goes back, proves that, and keeps the name of the failure",
      {
        timeout: 300_000,
      },
      async (given) => {
        const before = await live();
        await configure((one) => ({
          ...one,
          rotations: { ...one.rotations, redeploy: given.redeploy },
          health: { ...one.health, ...given.health },
        }));
        const end = await ops("rotate", "database");
        expect(end).toMatchObject({ exitCode: 4, json: { error: { name: given.name } } });
        expect(end.stdout).toMatch(given.says);
        expect(end.stdout + end.stderr).not.toContain("canary");
        expect(await live()).toEqual(before);
        expect(await live("clinic-two")).toEqual(before);
        expect(await page.body()).toBe("ok");
        await configure();
        await succeeded("rotate", "database");
        expect((await live()).pass).not.toBe(before.pass);
      },
    );
  });

  it("refuses a second run as busy, which names the first and changes nothing; a dead holder's lock runs out", {
    timeout: 300_000,
  }, async () => {
    const gate = file("gate");
    await configure((one) => ({
      ...one,
      rotations: {
        ...one.rotations,
        redeploy: { command: ["sh", "-c", `touch '${gate}'; while [ -f '${gate}' ]; do sleep 0.1; done`] },
      },
    }));
    const first = realProgram(["rotate", "database", "--config", file("c.json"), "--json"]);
    const reached = async () => {
      while (!(await stat(gate).catch(() => undefined))) await sleep(20);
    };
    await reached();
    const before = await leftBehind([]);
    const second = await ops("rotate", "database");
    expect(second).toMatchObject({ exitCode: 5, json: { error: { name: "InstallationBusyError" } } });
    const [, holder = ""] = /is held by job ([0-9A-HJKMNP-TV-Z]{26})/.exec(second.stdout) ?? [];
    expect([...before.keys()].filter((place) => place.includes("/jobs/") && place.includes(holder))).not.toEqual([]);
    const after = await leftBehind([]);
    for (const [place, text] of before) if (!place.startsWith(".openemr-ops/")) expect(after.get(place)).toBe(text);
    const switched = await live();

    first.process.kill("SIGKILL");
    await first.ended;
    await rm(gate);
    await configure();
    await succeeded("rotate", "database");
    expect((await live()).pass).toBe(switched.pass); // the run that was killed is finished, not begun anew
    expect(JSON.parse(await readFile(file("slots.json"), "utf8")).active_slot).toBeDefined();
    await succeeded("rotate", "database");
    expect((await live()).pass).not.toBe(switched.pass);
  });
});

describe("rotate master", () => {
  it("gives the administrator another password, and the other rotations use it", { timeout: 180_000 }, async () => {
    const before = (await readFile(file("admin.password"), "utf8")).trim();
    expect(await succeeded("rotate", "master", "--dry-run")).toMatchObject({ dryRun: true, user: administrator() });
    expect(await readFile(file("admin.password"), "utf8")).toBe(`${before}\n`);
    const result = await succeeded("rotate", "master");
    expect(result).toMatchObject({ user: administrator(), proven: true, keptBy: "secret" });
    const after = (await readFile(file("admin.password"), "utf8")).trim();
    expect(after).not.toBe(before);
    expect(await opens(administrator(), before)).toBe(false);
    expect(await opens(administrator(), after)).toBe(true);
    expect((await readFile(file("admin.password.previous"), "utf8")).trim()).toBe(before);
    expect((await stat(file("admin.password"))).mode & 0o777).toBe(0o600);
    await succeeded("rotate", "database");
  });

  it("is refused while OpenEMR itself logs in as this user", async () => {
    const password = (await readFile(file("admin.password"), "utf8")).trim();
    await cp(site(), file("sqlconf.before"));
    await rm(site());
    await writeFile(site(), sqlconf(administrator(), password));
    const refused = await ops("rotate", "master");
    await cp(file("sqlconf.before"), site(), { force: true });
    await rm(file("sqlconf.before"));
    expect(refused).toMatchObject({ exitCode: 3, json: { error: { name: "RotationRefusedError" } } });
    expect(refused.stdout).toContain("OpenEMR (site default)");
    expect(await opens(administrator(), password)).toBe(true);
  });
});

describe("rotate admin", () => {
  it("gives OpenEMR's administrator another password, which only its secret contains", {
    timeout: 180_000,
  }, async () => {
    const person = "Canary-Person-1";
    await schema.query("CREATE TABLE users (id BIGINT PRIMARY KEY, username VARCHAR(255), active TINYINT(1))");
    await schema.query("CREATE TABLE `groups` (id BIGINT PRIMARY KEY, name LONGTEXT, user LONGTEXT)");
    await schema.query(
      "CREATE TABLE users_secure (id BIGINT PRIMARY KEY, username VARCHAR(255), password VARCHAR(255), last_update_password DATETIME)",
    );
    await schema.query("INSERT INTO users VALUES (1, 'admin', 1)");
    await schema.query("INSERT INTO `groups` VALUES (1, 'Default', 'admin')");
    await schema.query("INSERT INTO users_secure VALUES (1, 'admin', ?, NOW())", [await hashPassword(person, 4)]);
    await writeFile(file("oe-admin.json"), JSON.stringify({ username: "admin", password: person, note: "kept" }), {
      mode: 0o600,
    });
    const before = await leftBehind([]);
    expect(await succeeded("rotate", "admin", "--dry-run")).toMatchObject({
      dryRun: true,
      user: "admin",
      site: "default",
    });
    expect(await leftBehind([])).toEqual(before);

    const end = await ops("rotate", "admin");
    expect(end, end.stderr).toMatchObject({ exitCode: 0, json: { user: "admin", site: "default" } });
    const stored = JSON.parse(await readFile(file("oe-admin.json"), "utf8"));
    expect(stored).toMatchObject({ username: "admin", note: "kept" });
    expect(stored.password).not.toBe(person);
    const [row] = await schema.query("SELECT password FROM users_secure WHERE id = 1");
    expect(await isOpenedBy(stored.password, String(row?.password))).toBe(true);
    expect(await isOpenedBy(person, String(row?.password))).toBe(false);
    for (const [place, text] of await leftBehind([end]))
      if (!/^oe-admin\.json(\.\w+)?$/.test(place))
        for (const secret of [person, stored.password]) expect(text.includes(secret), place).toBe(false);
  });
});

describe("by hand, when nothing else works", () => {
  it("what is written down is put into sqlconf.php, and the next run continues", { timeout: 180_000 }, async () => {
    const before = await live();
    for (const name of ["default", "clinic-two"]) {
      await rm(site(name));
      await writeFile(site(name), sqlconf(before.login, "somebody-broke-it"));
    }
    const slots = JSON.parse(await readFile(file("slots.json"), "utf8"));
    const { username, password } = slots[slots.active_slot];
    expect(await opens(username, password)).toBe(true);
    for (const name of ["default", "clinic-two"]) await writeFile(site(name), sqlconf(username, password));
    await succeeded("rotate", "database");
    expect((await live()).pass).not.toBe(before.pass);
  });

  it("are shown commands that the command line understands", async () => {
    const text = await readFile(join(repositoryRoot, "docs/rotation.md"), "utf8");
    const commands = [...text.matchAll(/^openemr-ops (.+)$/gm)].map(([, command = ""]) => command);
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands)
      expect(() => parseArguments(command.split(/\s+/), { cwd: "/srv", version: "1.0.0" }), command).not.toThrow();
  });
});

describe("redeploy", () => {
  it("runs the command and waits until OpenEMR is healthy", async () => {
    const before = await page.restarts();
    expect(await succeeded("redeploy", "--dry-run")).toEqual({ dryRun: true, would: "run sh" });
    expect(await page.restarts()).toBe(before);
    expect(await succeeded("redeploy")).toEqual({ redeployed: true, healthy: true, seconds: expect.any(Number) });
    expect(await page.restarts()).toBe(before + 1);
  });

  it.each([
    { command: ["no-such-program"], name: "ToolMissingError", exitCode: 3 },
    { command: ["false"], name: "DeploymentFailedError", exitCode: 4 },
  ])("by $command ends with $name", async ({ command, name, exitCode }) => {
    await configure((one) => ({ ...one, rotations: { ...one.rotations, redeploy: { command } } }));
    expect(await ops("redeploy")).toMatchObject({ exitCode, json: { error: { name } } });
    await configure();
  });
});
