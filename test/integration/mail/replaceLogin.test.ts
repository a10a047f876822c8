import { spawnSync } from "node:child_process";
import net from "node:net";
import { findSystemTool } from "@openemr-ops/local/tools/findTool";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { stoppedAt } from "../../support/adminCrashes.ts";
import { aMailSite, firstLogin, type MailSite } from "../../support/mailSite.ts";
import { memoryStoredSecret } from "../../support/memoryStoredSecret.ts";
import { phpReadsMail } from "../../support/phpMail.ts";

const next = { user: "AKIANEXTCANARY000002", password: "BNext/Canary+1=é" } as const;
const another = { user: "AKIAOTHERCANARY00003", password: "BOther/Canary+2" } as const;
const none = { user: "", password: "" } as const;

let clinic: MailSite;
beforeAll(async () => {
  clinic = await aMailSite();
});
afterAll(() => clinic.remove());

const { write } = net.Socket.prototype;
afterEach(() => {
  net.Socket.prototype.write = write;
});

/** Calls `act` when a statement that begins so is about to be sent, and sends it when `act` says. */
const whenSent = (beginning: string, act: (send: () => void) => void): void => {
  net.Socket.prototype.write = function (this: net.Socket, ...args: unknown[]): boolean {
    const [chunk] = args;
    const send = () => Reflect.apply(write, this, args) as boolean;
    if (!Buffer.isBuffer(chunk) || !chunk.subarray(5).toString("latin1").startsWith(beginning)) return send();
    act(send);
    return true;
  };
};

/** Another program changes a row and waits for nobody. @returns what the server says against it */
const changedByOthers = (sql: string): string => {
  const { name, socket, user, password } = clinic.schema;
  const statement = `SET SESSION innodb_lock_wait_timeout = 0; ${sql}`;
  return spawnSync(
    findSystemTool("mariadb") ?? "mariadb",
    ["--no-defaults", `--socket=${socket}`, `--user=${user}`, name, "-e", statement],
    { env: { MYSQL_PWD: password }, encoding: "utf8" },
  ).stderr;
};

it("mail settings hold a whole login wherever a replacement is stopped, and the next one ends it", async () => {
  let points = 0;
  for (const { before, writes } of [
    { before: firstLogin, writes: "UPDATE globals" },
    { before: none, writes: "INSERT INTO globals" },
  ]) {
    const prepare = async () => {
      await clinic.reset();
      if (before === none) await clinic.query("DELETE FROM globals WHERE gl_name IN ('SMTP_USER', 'SMTP_PASS')");
    };
    const run = (at: number) =>
      stoppedAt(at, memoryStoredSecret("unused"), () => clinic.settings.replace(before, next));
    await prepare();
    const whole = await run(0);
    expect(whole.effects).toEqual(["START TRANSACTION", writes, writes, "COMMIT"]);
    for (const password of [next.password, firstLogin.password]) expect(whole.sql).not.toContain(password);
    for (let at = 1; at <= whole.effects.length; at++) {
      await prepare();
      expect((await run(at)).stopped).toBe(true);
      expect(await clinic.settings.read()).toMatchObject(before);
      expect(await clinic.settings.replace(before, next)).toBe(true);
      expect(phpReadsMail(clinic)).toMatchObject(next);
      points++;
    }
  }
  process.stdout.write(`mail settings: ${points} crash points\n`);
});

it("nobody else changes a login between its comparison and the end of its replacement", async () => {
  await clinic.reset();
  const said: string[] = [];
  whenSent("UPDATE globals", (send) => {
    for (const name of ["SMTP_USER", "SMTP_PASS", "database_encryption"])
      said.push(changedByOthers(`REPLACE INTO globals (gl_name, gl_value) VALUES ('${name}', '${another.user}')`));
    send();
  });
  expect(await clinic.settings.replace(firstLogin, next)).toBe(true);
  expect(said).toHaveLength(6);
  for (const one of said) expect(one).toMatch(/ERROR 1205 /);
  expect(phpReadsMail(clinic)).toMatchObject(next);
});

it("of two who add a login at the same moment one does, and the other one looks again", async () => {
  await clinic.reset();
  await clinic.query("DELETE FROM globals");
  const waiting: (() => void)[] = [];
  let inserts = 0;
  // Both have locked the same gap, so that neither can insert: the server ends one of the two.
  whenSent("INSERT INTO globals", (send) => {
    inserts++;
    if (inserts > 2) return send();
    waiting.push(send);
    if (inserts === 2) for (const one of waiting) one();
  });
  const results = await Promise.all([next, another].map((login) => clinic.settings.replace(none, login)));
  expect(results.toSorted()).toEqual([false, true]);
  expect(inserts).toBe(3);
  expect(phpReadsMail(clinic)).toMatchObject(results[0] ? next : another);
});
