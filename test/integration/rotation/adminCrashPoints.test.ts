import { opens } from "@openemr-ops/openemr/passwordHash";
import { rotateAdmin } from "@openemr-ops/rotation/admin/rotateAdmin";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type AdminClinic, anAdminClinic, earlierPasswords } from "../../support/adminClinic.ts";
import { stoppedAt } from "../../support/adminCrashes.ts";

let clinic: AdminClinic;
beforeAll(async () => {
  clinic = await anAdminClinic();
});
afterAll(() => clinic.remove());
beforeEach(() => clinic.reset());

const run = (at: number) =>
  stoppedAt(at, clinic.rotation.secret, (secret) => rotateAdmin({ ...clinic.rotation, secret }));

it("a rotation that is stopped before or after any of its effects leaves a stored password that opens, and the next run ends it", async () => {
  const whole = await run(0);
  expect(whole.effects).toEqual([
    "writePending",
    "START TRANSACTION",
    "UPDATE users_secure",
    "INSERT INTO `log`",
    "INSERT INTO `log_comment_encrypt`",
    "COMMIT",
    "makeCurrent",
  ]);

  let pairs = 0;
  for (let one = 1; one <= whole.effects.length; one++) {
    // The second run is stopped wherever it can be, and last not at all.
    for (let two = 1; ; two++) {
      await clinic.reset();
      expect((await run(one)).stopped).toBe(true);
      expect(await clinic.isOpenedByStored(), `stopped at ${one}`).toBe(true);
      const next = await run(two);
      expect(await clinic.isOpenedByStored(), `stopped at ${one} and ${two}`).toBe(true);
      if (next.stopped) {
        pairs++;
        await run(0);
      }

      const { current = "", pending, previous } = await clinic.stored();
      expect([pending, previous]).toEqual([undefined, earlierPasswords[0]]);
      expect(await opens(current, await clinic.hash())).toBe(true);
      // What was written down is what is used; only a run that was stopped before that makes another one.
      expect(clinic.made.at(-1)).toBe(current);
      expect(clinic.made).toHaveLength(one > 1 ? 1 : next.stopped && two === 1 ? 3 : 2);
      const [log] = await clinic.schema.query("SELECT COUNT(*) AS n FROM log");
      expect(Number(log?.n)).toBe(1);
      expect(clinic.warnings).toEqual([]);
      if (!next.stopped) break;
    }
  }
  process.stdout.write(`admin rotation: ${whole.effects.length} crash points, ${pairs} pairs\n`);
  expect(pairs).toBeGreaterThan(30);
});

it("no statement that is sent to the server holds a password", async () => {
  const { sql } = await run(0);
  const { current = "" } = await clinic.stored();
  expect(sql).toContain("UPDATE users_secure");
  expect(current.length).toBeGreaterThan(40);
  for (const password of [current, ...earlierPasswords]) {
    expect(sql).not.toContain(password);
    expect(sql).not.toContain(Buffer.from(password).toString("base64").slice(4, -4));
  }
});
