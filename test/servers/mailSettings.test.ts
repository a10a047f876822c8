import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, unlink, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import {
  DatabaseFailedError,
  KeyPairError,
  PasswordPolicyError,
  RotationRefusedError,
  SqlconfError,
} from "@openemr-ops/core/errors";
import { newKeySet } from "@openemr-ops/local/estate/newKeySet";
import type { WritableKeyVersion } from "@openemr-ops/openemr/crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aMailSite, firstLogin, type MailSite, mailTables } from "../support/mailSite.ts";
import { phpReadsMail, phpSavesMail } from "../support/phpMail.ts";
import { startServerOf } from "../support/serverStarters.ts";

const next = { user: "AKIANEXTCANARY000002", password: "BNext/Canary+1=é" } as const;
const another = { user: "AKIAOTHERCANARY00003", password: "BOther/Canary+2" } as const;

/** What was refused, after which all is as before; its message holds no value. */
const refusal = async (clinic: MailSite, work: () => Promise<unknown>): Promise<Error> => {
  const before = await clinic.everything();
  const error = await work().then(
    (done) => new Error(`was done: ${JSON.stringify(done)}`),
    (failed: Error) => failed,
  );
  expect(await clinic.everything()).toEqual(before);
  // A cause is shown in logs.
  expect(inspect(error, { depth: 9 })).not.toMatch(/canary/i);
  return error;
};

describe.each(mailTables)("the mail settings of a site, in $whose", ({ statements }) => {
  let clinic: MailSite;
  beforeAll(async () => {
    clinic = await aMailSite(statements);
  });
  afterAll(() => clinic.remove());
  beforeEach(() => clinic.reset());
  const others = () =>
    clinic.query("SELECT * FROM globals WHERE gl_name NOT IN ('SMTP_USER', 'SMTP_PASS') ORDER BY gl_name");
  it("are read with the password in clear", async () => {
    expect(await clinic.settings.read()).toEqual({
      ...{ method: "SMTP", host: "email-smtp.eu-central-1.amazonaws.com", port: 587, secure: "tls", ...firstLogin },
    });
  });

  it("are OpenEMR's defaults where they have no row", async () => {
    await clinic.query("DELETE FROM globals");
    expect(await clinic.settings.read()).toEqual({
      ...{ method: "SMTP", host: "localhost", port: 25, secure: "", user: "", password: "" },
    });
  });

  it.each<{ version: WritableKeyVersion; release: string }>([
    { version: 4, release: "5.0.1" },
    { version: 5, release: "5.0.2" },
    { version: 6, release: "7.0.3" },
    { version: 7, release: "7.0.4" },
    { version: 7, release: "8.2.0-dev" },
  ])("hold a new login that OpenEMR $release opens, with keys of version $version", async ({ version, release }) => {
    await clinic.reset({ versions: [version], release });
    const before = await others();
    expect(phpReadsMail(clinic)).toMatchObject(firstLogin);

    expect(await clinic.settings.replace(firstLogin, next)).toBe(true);

    expect(phpReadsMail({ sitesPath: clinic.sitesPath, newest: version })).toEqual({
      ...next,
      version: `00${version}`,
    });
    expect(await clinic.settings.read()).toMatchObject(next);
    expect(await others()).toEqual(before);
    expect(await clinic.query("SELECT * FROM globals")).toHaveLength(before.length + 2);
  });

  it("hold version 6 where the release reads no newer one, although the site has keys of version 7", async () => {
    await clinic.reset({ versions: [6, 7], release: "7.0.3" });
    await clinic.setting("SMTP_PASS", clinic.seal(firstLogin.password, 6));
    expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
    expect(phpReadsMail({ sitesPath: clinic.sitesPath, newest: 6 })).toEqual({ ...next, version: "006" });
  });

  it("hold version 7 after an upgrade, and a value of version 6 is still read", async () => {
    await clinic.reset({ versions: [6, 7], release: "7.0.4" });
    await clinic.setting("SMTP_PASS", clinic.seal(firstLogin.password, 6));
    expect(await clinic.settings.read()).toMatchObject(firstLogin);
    expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
    expect(phpReadsMail(clinic).version).toBe("007");
  });

  it("hold the version of what OpenEMR wrote, where nobody knows which release runs", async () => {
    await clinic.reset({ versions: [6, 7] });
    await clinic.query("DELETE FROM version");
    await clinic.setting("SMTP_PASS", clinic.seal(firstLogin.password, 6));
    expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
    expect(phpReadsMail({ sitesPath: clinic.sitesPath, newest: 6 })).toEqual({ ...next, version: "006" });
  });

  it("are replaced also where the password was encrypted anew meanwhile, or has no row", async () => {
    phpSavesMail(clinic, firstLogin);
    expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
    await clinic.setting("SMTP_USER", undefined);
    await clinic.setting("SMTP_PASS", undefined);
    expect(await clinic.settings.replace({ user: "", password: "" }, another)).toBe(true);
    expect(phpReadsMail(clinic)).toMatchObject(another);
  });

  it("are left alone where somebody saved others between looking and replacing", async () => {
    const found = await clinic.settings.read();
    for (const saved of [another, { ...firstLogin, user: another.user }, { ...another, user: firstLogin.user }]) {
      phpSavesMail(clinic, saved);
      const before = await clinic.everything();
      expect(await clinic.settings.replace(found, next)).toBe(false);
      expect(await clinic.everything()).toEqual(before);
      expect(phpReadsMail(clinic)).toMatchObject(saved);
    }
  });

  it("are not said to be replaced where somebody saves others as soon as they are", async () => {
    const { write } = net.Socket.prototype;
    let looks = 0;
    net.Socket.prototype.write = function (this: net.Socket, ...args: unknown[]): boolean {
      // The connection that looks at the result is the only one that may not write.
      const [chunk] = args;
      if (Buffer.isBuffer(chunk) && chunk.includes("SET SESSION TRANSACTION READ ONLY") && ++looks === 1)
        phpSavesMail(clinic, firstLogin);
      return Reflect.apply(write, this, args) as boolean;
    };
    try {
      expect(await clinic.settings.replace(firstLogin, next)).toBe(false);
    } finally {
      net.Socket.prototype.write = write;
    }
    expect(looks).toBe(1);
    expect(phpReadsMail(clinic)).toMatchObject(firstLogin);
  });

  it.each([
    { rows: "there", absent: false },
    { rows: "absent", absent: true },
  ])("are replaced by one of two who do so at once, with rows that are $rows", async ({ absent }) => {
    for (let round = 0; round < 5; round++) {
      await clinic.reset();
      if (absent) await clinic.query("DELETE FROM globals WHERE gl_name IN ('SMTP_USER', 'SMTP_PASS')");
      const before = absent ? { user: "", password: "" } : firstLogin;
      const results = await Promise.all([next, another].map((login) => clinic.settings.replace(before, login)));
      expect(results.filter((done) => done)).toHaveLength(1);
      expect(phpReadsMail(clinic)).toMatchObject(results[0] ? next : another);
    }
  });

  it("are those of OpenEMR's page in the end, where it is saved while they are replaced", async () => {
    for (let round = 0; round < 5; round++) {
      await clinic.reset();
      const save = async () => {
        await clinic.setting("SMTP_USER", another.user);
        await clinic.setting("SMTP_PASS", clinic.seal(another.password));
      };
      await Promise.all([clinic.settings.replace(firstLogin, next), save()]);
      expect(phpReadsMail(clinic)).toMatchObject(another);
    }
  });

  it.each<{ what: string; breakIt: () => Promise<unknown>; message: RegExp }>([
    {
      what: "drive keys of another installation",
      breakIt: async () => {
        for (const [name, content] of Object.entries(newKeySet(randomBytes, { oauth: false }).driveFiles))
          await writeFile(join(clinic.methods, name), content);
      },
      message:
        /drive keys sevena, sevenb do not open with the rows of table keys; restore keys and database from one dump/,
    },
    {
      what: "no rows in table keys",
      breakIt: () => clinic.query("DELETE FROM `keys`"),
      message: /no row sevena, sevenb in table keys; restore keys and database from one dump/,
    },
    {
      what: "no drive keys",
      breakIt: () => rm(clinic.methods, { recursive: true }),
      message: /no drive key sevena, sevenb in documents\/logs_and_misc\/methods; restore/,
    },
    {
      what: "half a pair",
      breakIt: () => unlink(join(clinic.methods, "sevenb")),
      message: /no drive key sevenb in documents\/logs_and_misc\/methods; restore/,
    },
    {
      what: "a value that was sealed with other keys",
      breakIt: async () => {
        const kept = clinic.seal("x");
        await clinic.setting("SMTP_PASS", `${kept.slice(0, 20)}${kept[20] === "A" ? "B" : "A"}${kept.slice(21)}`);
      },
      message: /sealed with other keys than those of this site, or altered; .*enter the value again in OpenEMR/,
    },
    {
      what: "a value that was cut",
      breakIt: () => clinic.setting("SMTP_PASS", clinic.seal("x").slice(0, 60)),
      message: /it was cut or altered; enter the value again/,
    },
    {
      what: "a value of a version that does not exist yet",
      breakIt: () => clinic.setting("SMTP_PASS", `008${clinic.seal("x").slice(3)}`),
      message: /of version 008, which this program does not know; update this program/,
    },
  ])("are neither read nor replaced with $what, and nothing is made", async ({ breakIt, message }) => {
    await breakIt();
    for (const work of [clinic.settings.read, () => clinic.settings.replace(firstLogin, next)]) {
      const error = await refusal(clinic, work);
      expect(error).toBeInstanceOf(KeyPairError);
      expect(error.message).toMatch(/^site default: globals\.SMTP_PASS does not open: (?!site)/);
      expect(error.message).toMatch(message);
    }
  });
});

describe("mail settings", () => {
  let clinic: MailSite;
  beforeAll(async () => {
    clinic = await aMailSite();
  });
  afterAll(() => clinic.remove());
  beforeEach(() => clinic.reset());

  it("reject what a server with an empty sql_mode would spoil", async () => {
    const directory = await mkdtemp(join(tmpdir(), "openemr-ops-lax-"));
    const server = await startServerOf(inject("serverOf"), { directory, extraArguments: ["--sql-mode="] });
    const lax = await aMailSite(undefined, server);
    try {
      expect(await lax.settings.replace(firstLogin, next)).toBe(true);
      await lax.query("ALTER TABLE globals MODIFY gl_value VARCHAR(255) CHARACTER SET latin1 NOT NULL DEFAULT ''");
      await lax.setting("database_encryption", "0");
      const before = await lax.everything();
      await expect(lax.settings.replace(next, { ...another, password: "пароль" })).rejects.toThrow(DatabaseFailedError);
      expect(await lax.everything()).toEqual(before);
    } finally {
      await lax.remove();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it.each([
    { what: "is empty", password: "" },
    { what: "is 0", password: "0" },
    { what: "has more than 111 bytes", password: "é".repeat(56) },
    { what: "begins or ends with white space", password: "canary " },
    { what: "begins or ends with white space", password: "\tcanary" },
    { what: "has a control character", password: "canary\u0000x" },
    { what: "begins with 007", password: "007canary" },
  ])("refuse a password that $what, before anything else", async ({ what, password }) => {
    await clinic.query("DELETE FROM `keys`");
    const error = await refusal(clinic, () => clinic.settings.replace(firstLogin, { ...next, password }));
    expect(error).toBeInstanceOf(PasswordPolicyError);
    expect(error.message).toContain(`site default: the new SMTP password ${what}`);
  });

  it("take the longest password that fits into the column", async () => {
    const longest = { ...next, password: "m".repeat(111) };
    expect(await clinic.settings.replace(firstLogin, longest)).toBe(true);
    expect(phpReadsMail(clinic)).toMatchObject(longest);
    expect(await clinic.stored("SMTP_PASS")).toHaveLength(239);
  });

  it.each<{
    what: string;
    change: string | readonly string[];
    undo: string | readonly string[];
    named: new (message: string) => Error;
    message: RegExp;
  }>([
    {
      what: "has a column that is too short",
      change: "ALTER TABLE globals MODIFY gl_value VARCHAR(130) NOT NULL DEFAULT ''",
      undo: "ALTER TABLE globals MODIFY gl_value VARCHAR(255) NOT NULL DEFAULT ''",
      named: RotationRefusedError,
      message:
        /column gl_value of table globals takes 130 characters; give it the 255 that it has in OpenEMR's own schema/,
    },
    {
      what: "changes what is written",
      change: "CREATE TRIGGER spoil BEFORE UPDATE ON globals FOR EACH ROW SET NEW.gl_value = LOWER(NEW.gl_value)",
      undo: "DROP TRIGGER spoil",
      named: DatabaseFailedError,
      message: /does not keep SMTP_USER and SMTP_PASS as they are written, and nothing was changed; look for a trigger/,
    },
    {
      what: "has no transactions",
      change: "ALTER TABLE globals ENGINE=MyISAM",
      undo: "ALTER TABLE globals ENGINE=InnoDB",
      named: RotationRefusedError,
      message: /has the engine MyISAM, .*; run ALTER TABLE globals ENGINE=InnoDB/,
    },
    {
      what: "is a view",
      change: ["RENAME TABLE globals TO kept_globals", "CREATE VIEW globals AS SELECT * FROM kept_globals"],
      undo: ["DROP VIEW globals", "RENAME TABLE kept_globals TO globals"],
      named: RotationRefusedError,
      message: /no table globals with OpenEMR's settings; compare its name in sqlconf\.php/,
    },
    {
      what: "has a setting twice",
      change: "INSERT INTO globals (gl_name, gl_index, gl_value) VALUES ('SMTP_PASS', 1, 'canary')",
      undo: "DELETE FROM globals WHERE gl_index = 1",
      named: RotationRefusedError,
      message:
        /setting SMTP_PASS has a row with gl_index 1, and OpenEMR reads one, with gl_index 0; remove the other rows/,
    },
    {
      what: "spells a setting otherwise",
      change: "UPDATE globals SET gl_name = 'smtp_pass' WHERE gl_name = 'SMTP_PASS'",
      undo: "UPDATE globals SET gl_name = 'SMTP_PASS' WHERE gl_name = 'smtp_pass'",
      named: RotationRefusedError,
      message: /a setting is spelled smtp_pass/,
    },
  ])("refuse a table that $what, and change nothing", async ({ change, undo, named, message }) => {
    for (const statement of [change].flat()) await clinic.query(statement);
    try {
      const error = await refusal(clinic, () =>
        clinic.settings.replace(firstLogin, { ...next, password: "BNext/Canary+12=" }),
      );
      expect(error).toBeInstanceOf(named);
      expect(error.message).toMatch(/^site default: /);
      expect(error.message).toMatch(message);
      // Before an access key is made, the settings are read.
      if (named === RotationRefusedError) await expect(clinic.settings.read()).rejects.toThrow(message);
    } finally {
      for (const statement of [undo].flat()) await clinic.query(statement);
    }
  });

  it("refuse a table without a key that has a setting twice", async () => {
    await clinic.query("ALTER TABLE globals DROP PRIMARY KEY");
    try {
      await clinic.query("INSERT INTO globals (gl_name, gl_value) VALUES ('SMTP_USER', 'canary')");
      const error = await refusal(clinic, clinic.settings.read);
      expect(error).toBeInstanceOf(RotationRefusedError);
      expect(error.message).toMatch(/setting SMTP_USER has several rows/);
    } finally {
      await clinic.query("DELETE FROM globals");
      await clinic.query("ALTER TABLE globals ADD PRIMARY KEY (gl_name, gl_index)");
    }
  });

  describe("without encryption", () => {
    it("are taken in clear by a release that takes them so, and the new ones are sealed", async () => {
      await clinic.setting("SMTP_PASS", firstLogin.password);
      expect(await clinic.settings.read()).toMatchObject(firstLogin);
      expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
      expect(phpReadsMail(clinic)).toEqual({ ...next, version: "007" });
    });

    it("are no login for an older release, which sends with an empty password", async () => {
      await clinic.reset({ release: "7.0.4" });
      await clinic.setting("SMTP_PASS", firstLogin.password);
      const error = await refusal(clinic, clinic.settings.read);
      expect(error).toBeInstanceOf(KeyPairError);
      expect(error.message).toMatch(
        /stored in clear, which OpenEMR 7\.0\.4 does not take for a password; enter the value again/,
      );
    });

    it("are stored in clear where OpenEMR's encryption is switched off, and sealed where the release would not read them", async () => {
      await clinic.setting("database_encryption", "0");
      expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
      expect(await clinic.stored("SMTP_PASS")).toBe(next.password);
      expect(await clinic.settings.read()).toMatchObject(next);

      await clinic.reset({ release: "7.0.4" });
      await clinic.setting("database_encryption", "0");
      expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
      expect(phpReadsMail(clinic)).toEqual({ ...next, version: "007" });
    });

    it("need no keys while they are stored in clear, and a key pair that OpenEMR made as soon as they are not", async () => {
      await clinic.query("DELETE FROM `keys`");
      await rm(clinic.methods, { recursive: true });
      await clinic.setting("SMTP_PASS", firstLogin.password);
      const error = await refusal(clinic, clinic.settings.read);
      expect(error).toBeInstanceOf(KeyPairError);
      expect(error.message).toMatch(
        /no key pair of version 4 or newer; enter the value again .* OpenEMR then makes one/,
      );
      await clinic.setting("database_encryption", "0");
      expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
      expect(await clinic.settings.read()).toMatchObject(next);
    });
  });

  it.each([
    { release: "7.0.3", reads: /OpenEMR 7\.0\.3: it reads no version above 6, and the site's key pairs are of 7/ },
    { release: "0.0.0", reads: undefined },
  ])("are read with keys of version 7 on release $release only where that reads them", async ({ release, reads }) => {
    await clinic.reset({ release });
    if (!reads) return expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
    const error = await refusal(clinic, clinic.settings.read);
    expect(error).toBeInstanceOf(KeyPairError);
    expect(error.message).toMatch(reads);
  });

  it("of a site that is not set up, or has no readable sqlconf.php, are none", async () => {
    const path = join(clinic.sitesPath, "default/sqlconf.php");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("$config = 1", "$config = 0").replace(/'port'\] = '\d+'/, "'port'] = '1'"));
    expect(await clinic.settings.read()).toMatchObject({ method: "", user: "", password: "" });
    await writeFile(path, text.replace(/'port'\] = '\d+'/, "'port'] = getenv('canary')"));
    await expect(clinic.settings.read()).rejects.toThrow(/^default\/sqlconf\.php: /);
    await expect(clinic.settings.read()).rejects.toThrow(SqlconfError);
  });

  it.each(["SENDMAIL", "PHPMAIL"])(
    "of the method %s have no password, and no keys are needed to read them",
    async (method) => {
      await clinic.setting("EMAIL_METHOD", method);
      await clinic.query("DELETE FROM `keys`");
      expect(await clinic.settings.read()).toMatchObject({ method, user: firstLogin.user, password: "" });
    },
  );

  describe("the queue of messages", () => {
    const queue = (row: Readonly<Record<string, unknown>>) =>
      clinic.query(
        `INSERT INTO email_queue (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row)
          .map(() => "?")
          .join(", ")})`,
        Object.values(row),
      );
    const since = new Date("2026-07-04T05:06:07Z");

    it("is counted from a moment on, in the time of the practice", async () => {
      await clinic.setting("gbl_time_zone", "America/New_York"); // 01:06:07
      await queue({ sent: 1, datetime_sent: "2026-07-04 01:06:06" });
      await queue({ sent: 1, datetime_sent: "2026-07-04 01:06:07" });
      await queue({ sent: 1, datetime_sent: "2026-07-04 02:00:00", error: 1, datetime_error: "2026-07-04 01:59:00" });
      await queue({ sent: 0, error: 1, datetime_error: "2026-07-04 01:06:06" });
      await queue({ sent: 0, error: 1, datetime_error: "2026-07-04 01:06:07" });
      await queue({ sent: 0, error: 1, datetime_error: null });
      await queue({ sent: 0, error: 0 });
      await queue({ sent: null, error: null });
      expect(await clinic.settings.queueSince(since)).toEqual({ sent: 2, failed: 1, waiting: 2 });
    });

    it("is counted in the server's time where OpenEMR has no zone, and where it has one that does not exist", async () => {
      await queue({ sent: 0, error: 1, datetime_error: "2026-07-04 05:06:07" });
      for (const zone of [undefined, "", "Mars/Olympus"]) {
        await clinic.setting("gbl_time_zone", zone);
        expect(await clinic.settings.queueSince(since)).toEqual({ sent: 0, failed: 1, waiting: 0 });
      }
    });

    it("counts nothing where the release has none, or where it notes no errors", async () => {
      await queue({ sent: 0 });
      await clinic.query(
        "ALTER TABLE email_queue DROP COLUMN error, DROP COLUMN datetime_error, DROP COLUMN datetime_sent",
      );
      expect(await clinic.settings.queueSince(since)).toEqual({ sent: 0, failed: 0, waiting: 1 });
      await clinic.query("RENAME TABLE email_queue TO kept_queue");
      expect(await clinic.settings.queueSince(since)).toEqual({ sent: 0, failed: 0, waiting: 0 });
      await clinic.query("RENAME TABLE kept_queue TO email_queue");
      await clinic.query(
        "ALTER TABLE email_queue ADD COLUMN error TINYINT, ADD COLUMN datetime_error DATETIME, ADD COLUMN datetime_sent DATETIME",
      );
    });
  });
});
