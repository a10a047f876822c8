import { afterAll, beforeAll, expect, it } from "vitest";
import { stoppedAt } from "../../support/adminCrashes.ts";
import { aMailSite, firstLogin, type MailSite } from "../../support/mailSite.ts";
import { memoryStoredSecret } from "../../support/memoryStoredSecret.ts";
import { phpReadsMail } from "../../support/phpMail.ts";

const next = { user: "AKIANEXTCANARY000002", password: "BNext/Canary+1=é" } as const;

let clinic: MailSite;
beforeAll(async () => {
  clinic = await aMailSite();
});
afterAll(() => clinic.remove());

it("mail settings hold a whole login wherever a replacement is stopped, and the next one ends it", async () => {
  for (const rows of ["there", "absent"]) {
    const before = rows === "absent" ? { user: "", password: "" } : firstLogin;
    const prepare = async () => {
      await clinic.reset();
      if (rows === "absent") await clinic.query("DELETE FROM globals WHERE gl_name IN ('SMTP_USER', 'SMTP_PASS')");
    };
    const run = (at: number) =>
      stoppedAt(at, memoryStoredSecret("unused"), () => clinic.settings.replace(before, next));
    await prepare();
    const whole = await run(0);
    const writes = rows === "absent" ? "INSERT INTO globals" : "UPDATE globals";
    expect(whole.effects).toEqual(["START TRANSACTION", writes, writes, "COMMIT"]);
    for (const password of [next.password, firstLogin.password]) expect(whole.sql).not.toContain(password);
    for (let at = 1; at <= whole.effects.length; at++) {
      await prepare();
      expect((await run(at)).stopped).toBe(true);
      expect(await clinic.settings.read()).toMatchObject(before);
      expect(await clinic.settings.replace(before, next)).toBe(true);
      expect(phpReadsMail(clinic)).toMatchObject(next);
    }
  }
});
