import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DatabaseMissingError,
  DatabaseUnavailableError,
  DatabaseUserNotOursError,
  InvalidInputError,
  TargetUnsuitableError,
} from "@openemr-ops/core/errors";
import type { StoredPassword } from "@openemr-ops/core/storedPassword";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect } from "@openemr-ops/database/connection";
import {
  type PreparedUser,
  planUsers,
  prepareUsers,
  type UsersToPrepare,
} from "@openemr-ops/database/users/prepareUsers";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { type DatabaseServer, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import mysql from "mysql2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import { accessOf } from "../support/database.ts";
import { contextFor } from "../support/dumpContext.ts";
import type { MemoryPassword } from "../support/memoryPassword.ts";
import { startServerOf } from "../support/serverStarters.ts";
import { type UserSecrets, userSecrets, wantedUsers } from "../support/wantedUsers.ts";

/** One that takes connections with TLS, as managed servers do; of its own, since it only reads for a while. */
let server: DatabaseServer;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-users-"));
  server = await startServerOf(inject("serverOf"), { directory, tls: true });
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

let clinic: Clinic;
/** The live schema: `_` in its name is a pattern in a GRANT. */
let live: string;
beforeEach(async () => {
  clinic = await aClinic({ server });
  live = clinic.schema.name;
});
afterEach(async () => {
  for (const user of [dumpUser(), restoreUser()]) await root(`DROP USER IF EXISTS ${sqlName(user)}@'%'`);
  await clinic.remove();
});

const root = (sql: string) => clinic.schema.query(sql);
const dumpUser = () => `${clinic.schema.name}_d`;
const restoreUser = () => `${clinic.schema.name}_r`;

const accessFor = (user: string, password = ""): DatabaseAccess =>
  accessOf({ ...server, name: live }, { user, password });
const asking = (
  secrets: { readonly dump: StoredPassword; readonly restore: StoredPassword },
  changes: Partial<UsersToPrepare> = {},
) => wantedUsers({ server, schema: live, dump: dumpUser(), restore: restoreUser() }, secrets, changes);

const stepsOf = (prepared: readonly PreparedUser[]) => prepared.map(({ steps }) => steps);
const made = ["storePassword", "createUser", "grantRights", "makePasswordCurrent"];

/** SHOW GRANTS as structure: rights by what they are on, without what every account has. */
const grantsOf = async (user: string, host = "%") => {
  const rows = await root(`SHOW GRANTS FOR ${sqlName(user)}@${sqlString(host)}`);
  const lines = rows.map((row) => String(Object.values(row)[0]));
  const parsed = lines.map((line) => {
    const [, rights = "", on = "", rest = ""] = /^GRANT (.+?) ON (\S+) TO (.*)$/s.exec(line) ?? [];
    expect(on, line).not.toBe("");
    expect(rest).not.toMatch(/GRANT OPTION/);
    return [on, rights.split(", ").sort()] as const;
  });
  return Object.fromEntries(parsed.filter(([, rights]) => rights.join() !== "USAGE"));
};

const accounts = async () =>
  (
    await root(
      `SELECT User, Host, CONCAT(ssl_type, '') AS tls FROM mysql.user WHERE User LIKE ${sqlString(`${clinic.schema.name}\\_%`)} ORDER BY User, Host`,
    )
  ).map((row) => Object.values(row).map(String).join(" "));

/** What a stop at any point must leave in order. */
const everyAccountOpens = async ({ dump, restore }: UserSecrets): Promise<void> => {
  const known = await accounts();
  for (const [user, secret] of [
    [dumpUser(), dump],
    [restoreUser(), restore],
  ] as const) {
    if (!known.some((line) => line.startsWith(`${user} `))) continue;
    const [version] = secret.kept();
    await using _ = await connect(accessFor(user, version?.password ?? ""), "information_schema");
  }
};

const seesRoutines = async () => {
  if (server.product === "MySQL") return { "*.*": ["SHOW_ROUTINE"] };
  const [row] = await root("SELECT VERSION() AS version");
  return String(row?.version).startsWith("10.") ? { "`mysql`.`proc`": ["SELECT"] } : undefined;
};
const toDump = ["EVENT", "LOCK TABLES", "SELECT", "SHOW VIEW", "TRIGGER"];
const exactly = async () => {
  const elsewhere = await seesRoutines();
  const escaped = live.replaceAll("_", "\\_");
  return {
    dump: {
      [`\`${escaped}\`.*`]: elsewhere ? toDump : [...toDump, "SHOW CREATE ROUTINE"].sort(),
      ...elsewhere,
    },
    restore: { [`\`${escaped}\`.*`]: ["ALL PRIVILEGES"], [`\`${escaped}\\_%\`.*`]: ["ALL PRIVILEGES"] },
  };
};

describe("both database users", () => {
  it("are made with exactly the rights of the list, for encrypted connections alone, and their secrets open them", async () => {
    const secrets = userSecrets();
    expect(stepsOf(await planUsers(asking(secrets)))).toEqual([made, made]);
    expect([secrets.dump.kept(), secrets.restore.kept()]).toEqual([[], []]);
    const before = await accounts();

    expect(stepsOf(await prepareUsers(asking(secrets)))).toEqual([made, made]);

    const { dump, restore } = await exactly();
    expect(await grantsOf(dumpUser())).toEqual(dump);
    expect(await grantsOf(restoreUser())).toEqual(restore);
    expect((await accounts()).filter((line) => !before.includes(line))).toEqual([
      `${dumpUser()} % ANY`,
      `${restoreUser()} % ANY`,
    ]);
    await everyAccountOpens(secrets);
    for (const { current, kept } of [secrets.dump, secrets.restore])
      expect(kept().map(({ password }) => password)).toEqual([current()]);
    expect(secrets.dump.current()).not.toBe(secrets.restore.current());
  });

  it("are found in order by a second run, which changes nothing", async () => {
    const secrets = userSecrets();
    await prepareUsers(asking(secrets));
    const before = [await accounts(), secrets.dump.kept(), await grantsOf(dumpUser()), await grantsOf(restoreUser())];

    expect(stepsOf(await planUsers(asking(secrets)))).toEqual([[], []]);
    const { seen } = watchEffects();
    expect(stepsOf(await prepareUsers(asking(secrets)))).toEqual([[], []]);
    expect(seen).toEqual([]);
    expect([await accounts(), secrets.dump.kept(), await grantsOf(dumpUser()), await grantsOf(restoreUser())]).toEqual(
      before,
    );
  });

  it("can do all that a dump, a drill and restores do", async () => {
    const secrets = userSecrets();
    await prepareUsers(asking(secrets));
    const login = (user: string, secret: MemoryPassword) => ({ user, password: secret.current() ?? "" });
    const context = await contextFor({
      ...clinic,
      schema: {
        ...clinic.schema,
        dumpUser: login(dumpUser(), secrets.dump),
        restoreUser: login(restoreUser(), secrets.restore),
      },
      dumps: { format: "portable" },
    });
    const passed = { verdict: "passed", differences: [] };

    const { dumpId, manifest } = await takeDump(context);
    expect(manifest.warnings.map(({ code }) => code)).not.toContain("routines-not-visible");
    expect(manifest.warnings.map(({ code }) => code)).not.toContain("dump-user-may-change");
    expect(await drillDump(context, dumpId)).toMatchObject(passed);
    const beside = { intoDatabase: `${live}_copy`, intoSites: join(clinic.directory, "copy") };
    expect(await restoreDump(context, { dump: dumpId, ...beside })).toMatchObject(passed);
    expect(await restoreDump(context, { dump: dumpId, inPlace: true })).toMatchObject(passed);
  });

  it("get what is missing where a person made them, and keep what they have", async () => {
    const byHand = "a-password-by-hand";
    await root(`CREATE USER ${sqlName(dumpUser())}@'127.0.0.1' IDENTIFIED BY ${sqlString(byHand)}`);
    await root(`GRANT SELECT ON ${sqlName(live)}.* TO ${sqlName(dumpUser())}@'127.0.0.1'`);
    const secrets = userSecrets({ dump: byHand });
    try {
      expect(stepsOf(await prepareUsers(asking(secrets)))).toEqual([["requireTls", "grantRights"], made]);
      expect(secrets.dump.current()).toBe(byHand);
      const found = await grantsOf(dumpUser(), "127.0.0.1");
      expect(found[`\`${live}\`.*`]).toEqual(expect.arrayContaining(toDump));
      expect((await accounts()).filter((line) => line.startsWith(`${dumpUser()} `))).toEqual([
        `${dumpUser()} 127.0.0.1 ANY`,
      ]);
    } finally {
      await root(`DROP USER ${sqlName(dumpUser())}@'127.0.0.1'`);
    }
  });

  it("are made with the password that a person stored, where it is long enough", async () => {
    const secrets = userSecrets({ dump: 'it\'s a \\ "password" é' });
    expect(stepsOf(await prepareUsers(asking(secrets)))).toEqual([["createUser", "grantRights"], made]);
    await everyAccountOpens(secrets);
  });

  it("have rights on the schema of this name alone, where the name holds a pattern", async () => {
    live = `${clinic.schema.name}_a`;
    const other = `${clinic.schema.name}xa`;
    await root(`CREATE DATABASE ${sqlName(live)}`);
    await root(`CREATE DATABASE ${sqlName(other)}`);
    const secrets = userSecrets();
    try {
      await prepareUsers(asking(secrets));
      const { dump, restore } = await exactly();
      expect(await grantsOf(dumpUser())).toEqual(dump);
      expect(await grantsOf(restoreUser())).toEqual(restore);
      await using connection = await connect(accessFor(restoreUser(), secrets.restore.current()), "information_schema");
      const schemas = (await connection.rows("SHOW DATABASES")).map((row) => Object.values(row)[0]);
      expect(schemas).toContain(live);
      expect(schemas).not.toContain(other);
    } finally {
      await root(`DROP DATABASE ${sqlName(other)}`);
    }
  });
});

class Stop extends Error {}

/** Sees every statement that changes the server, and each write of a secret; stops at one of them. */
const watchEffects = (
  stopAt: { readonly number: number; readonly when: "before" | "after" } = { number: 0, when: "before" },
) => {
  const seen: string[] = [];
  const effect = async <Result>(what: string, act: () => Promise<Result>): Promise<Result> => {
    const here = seen.push(what) === stopAt.number;
    if (here && stopAt.when === "before") throw new Stop(what);
    const result = await act();
    if (here) throw new Stop(what); // the answer is lost
    return result;
  };
  const { createConnection } = mysql;
  vi.spyOn(mysql, "createConnection").mockImplementation(((...settings: Parameters<typeof createConnection>) => {
    const base = createConnection(...settings);
    const promised = base.promise.bind(base);
    base.promise = (...args) => {
      const connection = promised(...args);
      const query = connection.query.bind(connection) as (options: { sql: string }) => Promise<unknown>;
      connection.query = ((options: { sql: string }) => {
        const [, change] = /^(CREATE USER|ALTER USER|GRANT \w+)/.exec(options.sql) ?? [];
        return change === undefined ? query(options) : effect(change, () => query(options));
      }) as typeof connection.query;
      return connection;
    };
    return base;
  }) as typeof createConnection);
  const watched = (secret: MemoryPassword): StoredPassword => ({
    field: secret.field,
    versions: secret.versions,
    writePending: (password) => effect("write pending", () => secret.writePending(password)),
    makeCurrent: (version) => effect("make current", () => secret.makeCurrent(version)),
  });
  return { seen, watched };
};
afterEach(() => vi.restoreAllMocks());

describe("a run that stops at any of its effects", () => {
  it.each(["before", "after"] as const)("%s it happened leaves a state that the next run finishes", async (when) => {
    const whole = watchEffects();
    const first = userSecrets();
    await prepareUsers(asking({ dump: whole.watched(first.dump), restore: whole.watched(first.restore) }));
    vi.restoreAllMocks();
    expect(whole.seen).toEqual([
      ...["write pending", "CREATE USER", "GRANT SELECT"],
      expect.stringMatching(/^GRANT (SELECT|SHOW\w*)$/),
      "make current",
      ...["write pending", "CREATE USER", "GRANT ALL", "GRANT ALL", "make current"],
    ]);
    const { dump, restore } = await exactly();

    for (let number = 1; number <= whole.seen.length; number++) {
      for (const user of [dumpUser(), restoreUser()]) await root(`DROP USER IF EXISTS ${sqlName(user)}@'%'`);
      const secrets = userSecrets();
      const { watched } = watchEffects({ number, when });
      const stopped = prepareUsers(asking({ dump: watched(secrets.dump), restore: watched(secrets.restore) }));
      await expect(stopped).rejects.toThrow(whole.seen[number - 1]);
      vi.restoreAllMocks();
      await everyAccountOpens(secrets);
      const known = [...secrets.dump.kept(), ...secrets.restore.kept()].map(({ password }) => password);

      await prepareUsers(asking(secrets));
      expect(await grantsOf(dumpUser())).toEqual(dump);
      expect(await grantsOf(restoreUser())).toEqual(restore);
      const current = [secrets.dump.current(), secrets.restore.current()];
      expect(current).toEqual(expect.arrayContaining(known)); // what was written down is what is used
      await everyAccountOpens(secrets);
      expect(stepsOf(await planUsers(asking(secrets)))).toEqual([[], []]);
    }
  });
});

it("no password becomes current before it opens the server where the jobs log in", async () => {
  const secrets = userSecrets();
  const asked = asking(secrets);
  const elsewhere = asked.users.map((one) => ({ ...one, access: { ...one.access, port: 1 } }));

  await expect(prepareUsers({ ...asked, users: elsewhere })).rejects.toThrow(DatabaseUnavailableError);
  expect(secrets.dump.kept()).toMatchObject([{ current: false }]);
  expect(stepsOf(await prepareUsers(asked))).toEqual([["makePasswordCurrent"], made]);
});

describe("nothing is changed, and the field is named", () => {
  const refused = async (asked: UsersToPrepare, expected: new (...args: never[]) => Error, says: RegExp) => {
    const before = await accounts();
    for (const attempt of [planUsers, prepareUsers]) {
      const { seen } = watchEffects();
      const error: unknown = await attempt(asked).catch((reason: unknown) => reason);
      vi.restoreAllMocks();
      expect(error).toBeInstanceOf(expected);
      expect(String(error)).toMatch(says);
      expect(seen).toEqual([]);
    }
    expect(await accounts()).toEqual(before);
  };

  it("where a user is another one's", async () => {
    const forbidden = [{ user: restoreUser(), whose: "the one that OpenEMR logs in with (site default)" }];
    const secrets = userSecrets();
    await refused(
      asking(secrets, { forbidden }),
      DatabaseUserNotOursError,
      /_r is the one that OpenEMR logs in with.*database\.restore\.user/,
    );
    expect([secrets.dump.kept(), secrets.restore.kept()]).toEqual([[], []]);
  });

  it.each([
    { stored: undefined, why: "the secret is empty" },
    { stored: "not-its-password", why: "Access denied" },
  ])("where a user exists and its secret does not open it: $why", async ({ stored, why }) => {
    await root(`CREATE USER ${sqlName(restoreUser())}@'%' IDENTIFIED BY 'of-somebody-else'`);
    const secrets = userSecrets(stored === undefined ? {} : { restore: stored });
    await refused(
      asking(secrets),
      DatabaseUserNotOursError,
      new RegExp(`_r exists.*database\\.restore\\.password.*${why}.*set another name in .*database\\.restore\\.user`),
    );
    expect([secrets.dump.kept(), secrets.restore.current()]).toEqual([[], stored]);
    await using _ = await connect(accessFor(restoreUser(), "of-somebody-else"), "information_schema");
  });

  it("where a stored password can be guessed", async () => {
    const secrets = userSecrets({ dump: "placeholder" });
    await refused(asking(secrets), InvalidInputError, /database\.password: the secret has fewer than 12 characters/);
  });

  it("where there is no such schema", async () => {
    live = `${clinic.schema.name}_absent`;
    await refused(asking(userSecrets()), DatabaseMissingError, /no schema \w+_absent/);
  });
});

it("is refused on a server that only reads", async () => {
  const secrets = userSecrets();
  const reader = { ...accessFor(clinic.schema.restoreUser.user, clinic.schema.restoreUser.password) };
  await root("SET GLOBAL read_only = ON");
  try {
    const asked = asking(secrets, { administrator: reader });
    await expect(prepareUsers(asked)).rejects.toThrow(TargetUnsuitableError);
    await expect(prepareUsers(asked)).rejects.toThrow(/database\.restore\.host/);
  } finally {
    await root("SET GLOBAL read_only = OFF");
  }
});

it("shows a new password in no error", async () => {
  const { toString: shown } = {
    toString: (error: unknown) => JSON.stringify(error, Object.getOwnPropertyNames(error)),
  };
  await using connection = await connect(accessFor(server.user, server.password), "information_schema");
  const failure: unknown = await connection
    .run(`CREATE USER ${sqlName(dumpUser())}@'%' IDENTIFIED BY ? NONSENSE`, ["canary-password-5512"])
    .catch((reason: unknown) => reason);
  expect(failure).toBeInstanceOf(Error);
  const { cause } = failure as Error;
  expect(`${String(failure)} ${shown(failure)} ${shown(cause)}`).not.toContain("canary-password-5512");
});

it("leaves no password in the server's log of statements", async () => {
  const secrets = userSecrets({ dump: "it's by hand 77af" });
  await root("SET GLOBAL log_output = 'TABLE'");
  await root("SET GLOBAL general_log = ON");
  try {
    await prepareUsers(asking(secrets));
  } finally {
    await root("SET GLOBAL general_log = OFF");
  }
  const rows = await root("SELECT CONVERT(argument USING utf8mb4) AS said FROM mysql.general_log");
  const said = rows.map((row) => String(row.said)).join("\n");
  expect(said).toMatch(new RegExp(`CREATE USER [\`']${dumpUser()}[\`']`));
  expect(said).not.toContain("by hand 77af");
  expect(said).not.toContain(secrets.restore.current());
});
