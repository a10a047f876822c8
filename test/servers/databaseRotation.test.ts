import { readFile, stat } from "node:fs/promises";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { type DatabaseRotation, rotateDatabase } from "@openemr-ops/rotation/database/rotateDatabase";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aRotation, type RotatedInstallation } from "../support/aRotation.ts";

const { product } = inject("server");
let hospital: RotatedInstallation;
beforeAll(async () => {
  hospital = await aRotation(inject("server"), { sites: ["default", "west"] });
});
beforeEach(() => hospital.reset());
afterAll(() => hospital[Symbol.asyncDispose]());

const run = (changes: Partial<DatabaseRotation> = {}) => rotateDatabase(hospital.rotation(changes), async () => {});
const account = (user: string) => `${sqlName(user)}@'%'`;
const app = () => account(hospital.app.user);
const beside = () => account(`${hospital.app.user}_b`);

/** What SHOW GRANTS says of a user, without its name. */
const grantsOf = async (user: string) =>
  (await hospital.root(`SHOW GRANTS FOR ${user}`))
    .map((row) => String(Object.values(row)[0]))
    .filter((line) => !/^GRANT USAGE/.test(line))
    .map((line) => line.replace(/ (?:TO|FOR|FROM) `[^`]*app.*$/s, ""))
    .sort();

const tlsOf = async (user: string) =>
  (await hospital.root(`SELECT CONCAT(ssl_type, '') AS tls FROM mysql.user WHERE User = ${sqlString(user)}`))[0]?.tls;

describe("a rotation of the database user", () => {
  it("flips each time: every site gets the other user, and the former password is refused", async () => {
    let before = hospital.app;
    for (const slot of ["B", "A", "B"] as const) {
      const result = await run();

      expect(result).toMatchObject({ activeSlot: slot, sites: ["west", "default"], proven: ["west", "default"] });
      const now = await hospital.named("default");
      expect(await hospital.named("west")).toEqual(now);
      expect(now.user).toBe(slot === "B" ? `${hospital.app.user}_b` : hospital.app.user);
      expect([result.user, result.retired]).toEqual([now.user, before.user]);
      expect([await hospital.opens(now), await hospital.opens(before)]).toEqual([true, false]);
      await hospital.assertNobodyLockedOut();
      expect((await hospital.texts()).map(({ active_slot }) => active_slot)).toEqual([slot]);
      before = now;
    }
    expect(hospital.warnings).toEqual([]);
    expect((await stat(hospital.slotsPath)).mode & 0o777).toBe(0o600);
    expect(await readFile(`${hospital.slotsPath}.previous`, "utf8")).toContain('"active_slot": "A"');
  });

  it("follows rights that were granted and taken away between rotations, and the demand for TLS", async () => {
    const west = sqlName(`${hospital.schema.name}_west`);
    await run();
    await hospital.root(`GRANT SELECT (gl_name) ON ${west}.globals TO ${beside()}`);
    await hospital.root(`GRANT PROCESS ON *.* TO ${beside()} WITH GRANT OPTION`);
    if (hospital.server.caFile) await hospital.root(`ALTER USER ${beside()} REQUIRE SSL`);

    const { user } = await run();

    expect(user).toBe(hospital.app.user);
    expect(await grantsOf(app())).toEqual(await grantsOf(beside()));
    expect((await grantsOf(app())).join("\n")).toMatch(/GRANT PROCESS ON \*\.\*/);
    const shown = await hospital.root(`SHOW GRANTS FOR ${app()}`);
    expect(JSON.stringify(shown)).not.toContain("GRANT OPTION");
    expect(await tlsOf(user)).toBe(hospital.server.caFile ? "ANY" : "");

    await hospital.root(`REVOKE PROCESS ON *.* FROM ${app()}`);
    await hospital.root(`REVOKE SELECT (gl_name) ON ${west}.globals FROM ${app()}`);
    await run();
    expect((await grantsOf(beside())).join("\n")).not.toMatch(/PROCESS|gl_name/);
  });

  it("gives the new user the roles by which the live one has its rights, active after each login", async () => {
    const role = sqlName(`${hospital.schema.name}role`);
    await hospital.root(`CREATE ROLE ${role}`);
    // On MariaDB only who administers a role grants it.
    if (product === "MariaDB") await hospital.root(`GRANT ${role} TO root@'127.0.0.1' WITH ADMIN OPTION`);
    try {
      for (const schema of [hospital.schema.name, `${hospital.schema.name}_west`]) {
        const on = sqlName(schema.replaceAll("_", "\\_"));
        await hospital.root(`GRANT ALL ON ${on}.* TO ${role}`);
        await hospital.root(`REVOKE ALL ON ${on}.* FROM ${app()}`);
      }
      await hospital.root(`GRANT ${role} TO ${app()}`);
      await hospital.root(`SET DEFAULT ROLE ${role} ${product === "MySQL" ? "TO" : "FOR"} ${app()}`);

      expect(await run()).toMatchObject({ activeSlot: "B" });
      expect((await grantsOf(beside())).join("\n")).not.toMatch(/ALL PRIVILEGES/);
      expect(await run()).toMatchObject({ activeSlot: "A" });
      await hospital.assertNobodyLockedOut();
    } finally {
      await hospital.root(`DROP ROLE ${role}`);
    }
  });
});
