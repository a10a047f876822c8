import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CredentialDriftError,
  CredentialSecretError,
  InstallationUnhealthyError,
  PasswordPolicyError,
  RotationRefusedError,
  SiteLoginError,
  SqlconfError,
} from "@openemr-ops/core/errors";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import { checkHealth } from "@openemr-ops/health/checkHealth";
import { probeHttp } from "@openemr-ops/health/probeHttp";
import { type DatabaseServer, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { newRelease, redirect, startOpenEmrPages } from "@openemr-ops/local/servers/openEmrPages";
import {
  type DatabaseRotation,
  planDatabaseRotation,
  retireUser,
  rollBackUser,
  rotateDatabase,
  switchUser,
} from "@openemr-ops/rotation/database/rotateDatabase";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aRotation, type RotatedInstallation } from "../../support/aRotation.ts";
import { asRoot } from "../../support/smallFileSystem.ts";

const sites = ["default", "west"];
let directory: string;
/** Of its own: rules for passwords and logs are the whole server's, and all its users are compared. */
let server: DatabaseServer;
let hospital: RotatedInstallation;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-drift-"));
  server = await startMariaDb({ directory });
  hospital = await aRotation(server, { sites });
});
beforeEach(() => hospital.reset());
afterAll(async () => {
  await hospital[Symbol.asyncDispose]();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = (changes: Partial<DatabaseRotation> = {}, redeploy = async () => {}) =>
  rotateDatabase(hospital.rotation(changes), redeploy);
const account = (user: string) => `${sqlName(user)}@'%'`;
const setPassword = (user: string, password: string) =>
  hospital.root(`ALTER USER ${account(user)} IDENTIFIED BY ${sqlString(password)}`);
const slotB = () => `${hospital.app.user}_b`;

/** Everything that a rotation could change, by its digest. */
const everything = async (): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(hospital.directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs, mode, uid } = await stat(path);
    const content = entry.isFile()
      ? createHash("sha256")
          .update(await readFile(path))
          .digest("hex")
      : "";
    found[path] = `${mtimeMs} ${mode} ${uid} ${content}`;
  }
  const users = await hospital.root("SELECT * FROM mysql.global_priv ORDER BY User, Host");
  return { ...found, users: createHash("sha256").update(JSON.stringify(users)).digest("hex") };
};

/** What a run that cannot begin leaves: all as it was. */
const expectRefused = async (
  error: new (message: string) => Error,
  says: string,
  changes: Partial<DatabaseRotation> = {},
): Promise<void> => {
  const before = await everything();
  const refused = run(changes);
  await expect(refused).rejects.toThrow(error);
  await expect(refused).rejects.toThrow(says);
  expect(await everything()).toEqual(before);
};

const expectHealthy = async (user: string): Promise<void> => {
  for (const site of sites) expect((await hospital.named(site)).user).toBe(user);
  await hospital.assertNobodyLockedOut();
  expect(await hospital.texts()).toHaveLength(1);
};

describe("a rotation repairs", () => {
  it("a secret that is behind the database", async () => {
    await run();
    const live = { user: slotB(), password: newPassword() };
    await setPassword(live.user, live.password);
    for (const site of sites) await hospital.name(site, live);

    await run();

    await expectHealthy(hospital.app.user);
    expect(await hospital.opens(live)).toBe(false);
  });

  it("a database restored from a snapshot, whose users have earlier passwords or do not exist", async () => {
    await run();
    const lost = await hospital.named("default");
    await hospital.root(`DROP USER ${account(lost.user)}`);
    await setPassword(hospital.app.user, hospital.app.password);
    await run();
    await expectHealthy(hospital.app.user);

    await setPassword(hospital.app.user, "as of the snapshot");
    await run();
    await expectHealthy(slotB());
  });

  it("files restored from a backup, whose password is long refused", async () => {
    await run();
    for (const site of sites) await hospital.name(site, { user: slotB(), password: "of an earlier year" });

    await run();

    await expectHealthy(hospital.app.user);
  });

  it("sites that name both users, each with its password", async () => {
    await run();
    const [text] = (await hospital.texts()) as readonly Record<"A", { username: string; password: string }>[];
    const { username: user = "", password = "" } = text?.A ?? {};
    await hospital.name("west", { user, password });

    const result = await run();

    expect(result).toMatchObject({ activeSlot: "B", retired: user });
    await expectHealthy(slotB());
    expect(await hospital.opens({ user, password })).toBe(false);
  });

  it("a standby user that somebody dropped, and one with rights and accounts that the live one has not", async () => {
    await run();
    await hospital.root(`DROP USER ${account(hospital.app.user)}`);
    await run();
    await expectHealthy(hospital.app.user);

    await hospital.root(`GRANT SELECT ON mysql.proc TO ${account(slotB())}`);
    await hospital.root(`CREATE USER ${sqlName(slotB())}@'127.0.0.1' IDENTIFIED BY 'of somebody'`);
    await hospital.root(`GRANT PROCESS ON *.* TO ${sqlName(slotB())}@'127.0.0.1'`);
    await run();
    await expectHealthy(slotB());
    for (const host of ["%", "127.0.0.1"]) {
      const grants = await hospital.root(`SHOW GRANTS FOR ${sqlName(slotB())}@'${host}'`);
      expect(JSON.stringify(grants)).not.toMatch(/mysql|PROCESS/);
      expect(JSON.stringify(grants)).toContain("ALL PRIVILEGES");
    }
  });

  it("an OpenEMR that logs in as the administrator: both slots get users of their own, and that one is left alone", async () => {
    const { user, password } = hospital.server;
    for (const site of sites) await hospital.name(site, { user, password });

    expect(await run()).toMatchObject({ activeSlot: "A", user: `${hospital.schema.name}_a` });

    await expectHealthy(`${hospital.schema.name}_a`);
    expect(hospital.warnings.join()).toContain(`the database user ${user}`);
    expect(await hospital.opens({ user, password })).toBe(true);
    const grants = await hospital.root(`SHOW GRANTS FOR ${account(`${hospital.schema.name}_a`)}`);
    expect(JSON.stringify(grants)).not.toMatch(/ALL PRIVILEGES ON \*|GRANT OPTION/);
    expect(JSON.stringify(await hospital.texts())).not.toContain(password);

    expect(await run()).toMatchObject({ activeSlot: "B", user: `${hospital.schema.name}_b` });
  });

  it("a switch from the administrator that OpenEMR does not like: it goes back to the administrator", async () => {
    const { user, password } = hospital.server;
    for (const site of sites) await hospital.name(site, { user, password });
    await switchUser(hospital.rotation());

    expect(await rollBackUser(hospital.rotation())).toMatchObject({ user, sites: ["west", "default"] });
    expect(await hospital.named("west")).toEqual({ user, password });
  });
});

describe("a rotation leaves alone", () => {
  it("a site with a user of its own, and reports it", async () => {
    const own = { user: `${hospital.app.user}own`, password: "own-password" };
    await hospital.root(`CREATE USER ${account(own.user)} IDENTIFIED BY ${sqlString(own.password)}`);
    await hospital.root(`GRANT ALL ON ${sqlName(`${hospital.schema.name}\\_west`)}.* TO ${account(own.user)}`);
    await hospital.name("west", own);

    expect(await run()).toMatchObject({ sites: ["default"] });

    expect(await hospital.named("west")).toEqual(own);
    expect(await hospital.opens(own)).toBe(true);
    expect(hospital.warnings).toEqual([expect.stringContaining("site west has a database user")]);
  });

  it("the second user of a site, and reports it", async () => {
    const second = join(hospital.sitesPath, "west/secure_sqlconf.php");
    await writeFile(second, "<?php $secure_login = 'keeper'; $secure_pass = 'canary';");

    expect(await run()).toMatchObject({ activeSlot: "B", sites: ["west", "default"] });

    expect(hospital.warnings).toEqual([expect.stringContaining("site west has a second database user")]);
    expect(await readFile(second, "utf8")).toContain("'keeper'");
    await rm(second);
  });

  it("everything, where the second user is the one that is rotated, or cannot be read", async () => {
    const second = join(hospital.sitesPath, "west/secure_sqlconf.php");
    await writeFile(second, `<?php $secure_login = '${hospital.app.user}'; $secure_pass = 'canary';`);
    await expectRefused(RotationRefusedError, "site west logs in as");
    await writeFile(second, "<?php $secure_login = trim('canary');");
    await expectRefused(SqlconfError, "west/secure_sqlconf.php: line 1");
    await rm(second);
  });

  it("a site that is not set up, and everything after it has ended: phases may be repeated", async () => {
    await writeFile(
      join(hospital.sitesPath, "west/sqlconf.php"),
      (await readFile(join(hospital.sitesPath, "west/sqlconf.php"), "latin1")).replace("$config = 1", "$config = 0"),
      "latin1",
    );
    const r = hospital.rotation();
    expect(await switchUser(r)).toMatchObject({ activeSlot: "B", sites: ["default"] });
    expect(await switchUser(r)).toMatchObject({ activeSlot: "B", sites: ["default"] });
    expect(await retireUser(r)).toMatchObject({ activeSlot: "B", retired: hospital.app.user });
    const ended = await everything();

    expect(await retireUser(r)).toMatchObject({ activeSlot: "B", retired: null });
    expect(await rollBackUser(r)).toMatchObject({ sites: [] });
    expect(await everything()).toEqual(ended);
    expect(await hospital.named("west")).toEqual(hospital.app);
  });
});

describe("a rotation is refused, and nothing is changed,", () => {
  it("when one of two sites has a wrong password", async () => {
    await hospital.name("west", { ...hospital.app, password: "typo" });

    await expectRefused(SiteLoginError, "site west");
  });

  it("when nothing that is written down logs in", async () => {
    await run();
    for (const site of sites) await hospital.name(site, { user: slotB(), password: "typo" });
    for (const user of [slotB(), hospital.app.user]) await setPassword(user, newPassword());

    await expectRefused(CredentialDriftError, `the user ${slotB()} logs in`);
  });

  it("when the secret is malformed", async () => {
    await run();
    await writeFile(hospital.slotsPath, '{"active_slot":"A"}');

    await expectRefused(CredentialSecretError, "rotations.database.slots: A is absent");
  });

  it("when a sqlconf.php computes its values, or its file is no file", async () => {
    await writeFile(join(hospital.sitesPath, "west/sqlconf.php"), "<?php $pass = file_get_contents('/run/secret');");

    await expectRefused(SqlconfError, "west/sqlconf.php: line 1");
  });

  it("when there is no site at all", async () => {
    await rm(hospital.sitesPath, { recursive: true });
    await mkdir(hospital.sitesPath);

    await expectRefused(RotationRefusedError, "has a sqlconf.php");
  });

  it("when the administrator may create no users: before any file changes", async () => {
    const weak = { user: `${hospital.app.user}weak`, password: "weak-password" };
    await hospital.root(`CREATE USER ${account(weak.user)} IDENTIFIED BY ${sqlString(weak.password)}`);
    await hospital.root(`GRANT SELECT ON mysql.* TO ${account(weak.user)}`);
    const administrator = {
      ...hospital.rotation().administrator,
      user: weak.user,
      password: async () => weak.password,
    };

    await expect(run({ administrator })).rejects.toThrow(/denied|command denied/i);
    for (const site of sites) expect(await hospital.named(site)).toEqual(hospital.app);
    await hospital.assertNobodyLockedOut();
  });
});

it("a rotation is refused by the name of the server's rule for passwords, before anything changes", async () => {
  await hospital.root("INSTALL SONAME 'simple_password_check'");
  try {
    await expectRefused(PasswordPolicyError, "strict_password_validation = ON");
    await hospital.root("SET GLOBAL strict_password_validation = OFF");
    await expectRefused(PasswordPolicyError, "minimal_length = 8", { newPassword: () => "Aa1-" });
    expect(await run()).toMatchObject({ activeSlot: "B" });
    expect(await run()).toMatchObject({ activeSlot: "A" });
  } finally {
    await hospital.root("SET GLOBAL strict_password_validation = ON");
    await hospital.root("UNINSTALL SONAME 'simple_password_check'");
  }
});

describe("a dry run", () => {
  it("needs no more than SELECT and a read-only mount, and changes nothing", async () => {
    await run();
    const reader = { user: `${hospital.app.user}reader`, password: "reader-password" };
    await hospital.root(`CREATE USER ${account(reader.user)} IDENTIFIED BY ${sqlString(reader.password)}`);
    await hospital.root(`GRANT SELECT ON ${sqlName(hospital.schema.name)}.* TO ${account(reader.user)}`);
    const administrator = {
      ...hospital.rotation().administrator,
      user: reader.user,
      password: async () => reader.password,
    };
    asRoot("mount", "--bind", hospital.sitesPath, hospital.sitesPath);
    asRoot("mount", "-o", "remount,bind,ro", hospital.sitesPath);
    try {
      const before = await everything();
      expect(await planDatabaseRotation(hospital.rotation({ administrator }))).toEqual({
        dryRun: true,
        activeSlot: "A",
        user: hospital.app.user,
        replaces: [slotB()],
        retires: slotB(),
        sites: ["west", "default"],
        others: [],
        continues: false,
      });
      expect(await everything()).toEqual(before);

      await expectRefused(RotationRefusedError, "EROFS");
      await chmod(hospital.slotsPath, 0o622);
      await expect(planDatabaseRotation(hospital.rotation({ administrator }))).rejects.toThrow("chmod 600");
    } finally {
      asRoot("umount", hospital.sitesPath);
    }
  });
});

describe("a gate that is not blind", () => {
  const looking = (url: string) => async (signal: AbortSignal) => {
    const look = () => probeHttp({ url, tls: "off" as never }, { signal });
    await checkHealth("clinic-a", [{ name: "openemr", at: url, look }], signal);
  };

  it.each([
    { what: "a database that is down behind a page with status 200", pages: newRelease({ database: false }) },
    { what: "a redirect to the setup", pages: { "/": redirect("setup.php?site=default") } },
  ])("sees $what: the run goes back and fails under that name", async ({ pages: served }) => {
    await using pages = await startOpenEmrPages(served);

    await expect(run({ health: looking(pages.url) })).rejects.toThrow(InstallationUnhealthyError);

    for (const site of sites) expect(await hospital.named(site)).toEqual(hospital.app);
    await hospital.assertNobodyLockedOut();
    pages.serve(newRelease());
    expect(await run({ health: looking(pages.url) })).toMatchObject({ activeSlot: "B" });
  });

  it("goes back after a failed redeployment too, which keeps its name", async () => {
    const failing = async () => {
      throw new RotationRefusedError("the restart command failed");
    };

    await expect(run({}, failing)).rejects.toThrow("the restart command failed");
    for (const site of sites) expect(await hospital.named(site)).toEqual(hospital.app);
  });
});

it("writes no password in a message, a warning or the server's log of statements", async () => {
  const said: string[] = [];
  const [before] = await hospital.root("SELECT @@GLOBAL.general_log AS log, @@GLOBAL.log_output AS output");
  await hospital.root("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1");
  try {
    const { password } = hospital.app;
    await run({ progress: (event) => void said.push(JSON.stringify(event)) });
    await run({ progress: (event) => void said.push(JSON.stringify(event)) });
    const log = await hospital.root("SELECT CONVERT(argument USING utf8mb4) AS statement FROM mysql.general_log");
    const [text] = (await hospital.texts()) as readonly Record<"A" | "B", { password: string }>[];
    const logged = log.map(({ statement }) => String(statement)).join("\n");
    expect(logged).toContain(`CREATE USER \`${slotB()}\``);
    for (const secret of [password, text?.A.password ?? "", text?.B.password ?? ""])
      for (const place of [logged, said.join(), hospital.warnings.join()]) expect(place.includes(secret)).toBe(false);
  } finally {
    await hospital.root(`SET GLOBAL general_log = ${before?.log}, GLOBAL log_output = '${before?.output}'`);
    await hospital.root("TRUNCATE mysql.general_log");
  }
});
