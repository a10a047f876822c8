import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PasswordPolicyError } from "@openemr-ops/core/errors";
import { type DatabaseServer, sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { startMySql } from "@openemr-ops/local/servers/mysql";
import { rotateDatabase, switchUser } from "@openemr-ops/rotation/database/rotateDatabase";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aRotation, type RotatedInstallation } from "../../support/aRotation.ts";

let directory: string;
/** Of its own: the rules for passwords are the whole server's. */
let server: DatabaseServer;
let hospital: RotatedInstallation;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-rotation-"));
  server = await startMySql({ directory, tls: true });
  hospital = await aRotation(server);
});
beforeEach(() => hospital.reset());
afterAll(async () => {
  await hospital[Symbol.asyncDispose]();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = () => rotateDatabase(hospital.rotation(), async () => {});
const account = (user: string) => `${sqlName(user)}@'%'`;

describe("a rotation on MySQL", () => {
  it("copies what rights on all schemas leave out, where partial revokes are on", async () => {
    await hospital.root("SET GLOBAL partial_revokes = ON");
    try {
      const { user } = hospital.app;
      await hospital.root(`GRANT SELECT ON *.* TO ${account(user)}`);
      await hospital.root(`REVOKE SELECT ON mysql.* FROM ${account(user)}`);
      await hospital.root(`GRANT ALL ON ${sqlName(hospital.schema.name)}.* TO ${account(user)}`);
      await run();

      const live = await hospital.named("default");
      const grants = JSON.stringify(await hospital.root(`SHOW GRANTS FOR ${account(live.user)}`));
      expect(grants).toContain("REVOKE SELECT ON `mysql`.*");
      expect(grants).toContain("GRANT SELECT ON *.*");
    } finally {
      await hospital.reset(); // without the users that have some
      await hospital.root("SET GLOBAL partial_revokes = OFF");
    }
  });

  it("is continued where no password may be set twice, and keeps the way in which the live user logs in", async () => {
    await hospital.root("SET GLOBAL password_history = 5");
    try {
      await hospital.root(
        `ALTER USER ${account(hospital.app.user)} IDENTIFIED WITH caching_sha2_password BY ${sqlString(hospital.app.password)}`,
      );
      const r = hospital.rotation();
      await switchUser(r);
      await switchUser(r);
      expect(await run()).toMatchObject({ activeSlot: "B", retired: hospital.app.user });
      expect(await run()).toMatchObject({ activeSlot: "A" });
      const plugins = await hospital.root(
        `SELECT DISTINCT plugin FROM mysql.user WHERE User LIKE ${sqlString(`${hospital.app.user}%`)}`,
      );
      expect(plugins).toEqual([{ plugin: "caching_sha2_password" }]);
    } finally {
      await hospital.root("SET GLOBAL password_history = 0");
    }
  });

  it("is refused by name where the server's rules refuse its passwords, before anything changes", async () => {
    await hospital.root("INSTALL COMPONENT 'file://component_validate_password'");
    try {
      const refused = rotateDatabase(hospital.rotation({ newPassword: () => "Aa1-" }), async () => {});
      await expect(refused).rejects.toThrow(PasswordPolicyError);
      await expect(refused).rejects.toThrow("validate_password.length = 8");
      expect(await hospital.texts()).toEqual([]);
      expect(await hospital.named("default")).toEqual(hospital.app);

      expect(await run()).toMatchObject({ activeSlot: "B" });
      expect(await run()).toMatchObject({ activeSlot: "A" });
    } finally {
      await hospital.root("UNINSTALL COMPONENT 'file://component_validate_password'");
    }
  });
});
