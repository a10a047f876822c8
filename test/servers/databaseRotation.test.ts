import { readFile, stat } from "node:fs/promises";
import { InstallationUnhealthyError } from "@openemr-ops/core/errors";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { rotateDatabase } from "@openemr-ops/rotation/database/rotateDatabase";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aRotation, type RotatedInstallation } from "../support/aRotation.ts";

let hospital: RotatedInstallation;
beforeAll(async () => {
  hospital = await aRotation(inject("server"), { sites: ["default", "west"] });
});
beforeEach(() => hospital.reset());
afterAll(() => hospital[Symbol.asyncDispose]());

const run = (changes = {}) => rotateDatabase(hospital.rotation(changes), async () => {});
const grantsOf = async (user: string) =>
  (await hospital.root(`SHOW GRANTS FOR ${sqlName(user)}@'%'`))
    .map((row) => String(Object.values(row)[0]))
    .filter((line) => !/^GRANT USAGE/.test(line))
    .map((line) => line.replace(/ (?:TO|FOR|FROM) .*$/s, ""))
    .sort();

describe("a rotation of the database user", () => {
  it("flips each time: every site gets the other user, and the former password is refused", async () => {
    const names: string[] = [];
    let before = hospital.app;
    for (const slot of ["B", "A", "B"] as const) {
      const result = await run();

      expect(result).toMatchObject({ activeSlot: slot, sites: ["west", "default"], proven: ["west", "default"] });
      const now = await hospital.named("default");
      expect(await hospital.named("west")).toEqual(now);
      expect(now.user).toBe(result.user);
      expect(result.retired).toBe(before.user);
      expect([await hospital.opens(now), await hospital.opens(before)]).toEqual([true, false]);
      await hospital.assertNobodyLockedOut();
      expect((await hospital.texts()).map(({ active_slot }) => active_slot)).toEqual([slot]);
      names.push(now.user);
      before = now;
    }
    expect(names).toEqual([`${hospital.app.user}_b`, hospital.app.user, `${hospital.app.user}_b`]);
    expect(hospital.warnings).toEqual([]);
    expect((await stat(hospital.slotsPath)).mode & 0o777).toBe(0o600);
    expect(await readFile(`${hospital.slotsPath}.previous`, "utf8")).toContain('"active_slot": "A"');
  });

  it("gives the new user exactly the rights of the live one", async () => {
    const rights = await grantsOf(hospital.app.user);
    const { user } = await run();

    expect(await grantsOf(user)).toEqual(rights);
    expect(rights.join()).toContain("ALL PRIVILEGES");
  });

  it("goes back when OpenEMR is not healthy, under the failure's own name", async () => {
    const unhealthy = async () => {
      throw new InstallationUnhealthyError("OpenEMR is not healthy", []);
    };

    await expect(run({ health: unhealthy })).rejects.toThrow(InstallationUnhealthyError);
    expect([await hospital.named("default"), await hospital.named("west")]).toEqual([hospital.app, hospital.app]);
    await hospital.assertNobodyLockedOut();
    expect(hospital.warnings).toHaveLength(1);

    const result = await run();
    expect(result).toMatchObject({ activeSlot: "B" });
    expect(await hospital.opens(hospital.app)).toBe(false);
  });
});
