import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { passwordSecret } from "@openemr-ops/aws/passwordSecret";
import { connect } from "@openemr-ops/database/connection";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import { type AwsServer, startAws } from "../support/awsServer.ts";
import { crashAt } from "../support/crashes.ts";
import { accessOf } from "../support/database.ts";
import { configurationFor } from "../support/dumpContext.ts";
import { type RealCommandLine, realCommandLine } from "../support/realCommandLine.ts";

let aws: AwsServer;
let clinic: Clinic;
let program: RealCommandLine;
beforeAll(async () => {
  aws = await startAws();
  clinic = await aClinic({ programs: false });
  const { user: username, password } = clinic.schema;
  const administrator = JSON.stringify({ username, password, host: "another.example.org", port: 1 });
  program = await realCommandLine({ ...clinic, environment: { ...aws.environment, ADMINISTRATOR: administrator } });
});
afterAll(async () => {
  for (const user of users()) await clinic.schema.query(`DROP USER IF EXISTS ${sqlName(user)}@'%'`);
  await clinic.remove();
  await aws[Symbol.asyncDispose]();
});

const users = () => [`${clinic.schema.name}_d`, `${clinic.schema.name}_r`];
const names = ["dump", "restore"] as const;
let arns: readonly string[] = [];

/** Writes the configuration with these users. */
const configure = async ([dump = "", restore = ""] = users()): Promise<void> => {
  const { config } = configurationFor(clinic);
  const [installation] = config.installations;
  const database = {
    ...installation?.database,
    user: dump,
    password: arns[0],
    restore: { user: restore, password: arns[1] },
  };
  const installations = [{ ...installation, database, users: { administrator: "env:ADMINISTRATOR" } }];
  await writeFile(join(clinic.directory, "c.json"), JSON.stringify({ ...config, installations }));
};

/** Neither users nor values of their secrets. */
const nothingYet = async (): Promise<void> => {
  for (const user of users()) await clinic.schema.query(`DROP USER IF EXISTS ${sqlName(user)}@'%'`);
  const client = new SecretsManagerClient();
  for (const arn of arns)
    await client.send(new DeleteSecretCommand({ SecretId: arn, ForceDeleteWithoutRecovery: true }));
  arns = await Promise.all(
    names.map(async (name) => (await client.send(new CreateSecretCommand({ Name: name }))).ARN ?? ""),
  );
  await configure();
};
beforeEach(nothingYet);

const versionsOf = (arn: string) => passwordSecret({ kind: "aws", arn, field: "password" }).versions();
/** Every account that exists is opened by the current version of its secret. @returns how many there are */
const accountsThatOpen = async (): Promise<number> => {
  let count = 0;
  for (const [index, user] of users().entries()) {
    const [row] = await clinic.schema.query(`SELECT COUNT(*) AS n FROM mysql.user WHERE User = ${sqlString(user)}`);
    if (Number(row?.n) === 0) continue;
    const [version] = await versionsOf(arns[index] ?? "");
    const login = { user, password: version?.password ?? "" };
    await using _ = await connect(accessOf(clinic.schema, login), "information_schema");
    count++;
  }
  return count;
};

describe("the command that makes the database users", () => {
  it("is killed before any of its effects, and run again makes both", { timeout: 180_000 }, async () => {
    const whole = await crashAt(program, ["users"], 0, clinic.directory);
    expect(whole, whole.stderr).toMatchObject({ exitCode: 0 });
    const done = ["storePassword", "createUser", "grantRights", "makePasswordCurrent"];
    expect(whole.json).toMatchObject({ users: [{ steps: done }, { steps: done }] });
    const changes = whole.effects.flatMap((effect, index) => (/^(sql|secret) /.test(effect) ? [index + 1] : []));
    expect(changes).toHaveLength(2 + 2 + 4);

    for (const point of changes) {
      await nothingYet();
      const run = await crashAt(program, ["users"], point, clinic.directory);
      expect(run.killed, run.stderr).toBe(true);
      await accountsThatOpen();
      const next = await program.run(["users"]);
      expect(next, next.stderr).toMatchObject({ exitCode: 0 });
      expect(await accountsThatOpen()).toBe(2);
      const again = await program.run(["users"]);
      expect(again.json).toMatchObject({ users: [{ steps: [] }, { steps: [] }] });
      for (const arn of arns) {
        const { Versions } = await new SecretsManagerClient().send(new ListSecretVersionIdsCommand({ SecretId: arn }));
        expect(Versions).toHaveLength(1); // what was written down first is what is used
      }
    }
  });

  it("shows in a dry run what it would do, and writes nothing", async () => {
    const run = await crashAt(program, ["users", "--dry-run"], 0, clinic.directory);
    expect(run.json).toMatchObject({ dryRun: true, users: [{ role: "dump user" }, { role: "restore user" }] });
    expect(run.effects.filter((effect) => !/node_modules\/\.cache/.test(effect))).toEqual([]);
    expect(await accountsThatOpen()).toBe(0);
    expect(await versionsOf(arns[0] ?? "")).toEqual([]);
  });

  it.each([
    {
      whose: "the user of sqlconf.php",
      user: () => "app",
      says: /app is the one that OpenEMR logs in with \(site default\)/,
    },
    { whose: "the administrator", user: () => clinic.schema.user, says: /root is the database's administrator/ },
  ])("refuses $whose by name, with exit status 3", async ({ user, says }) => {
    const [dump = ""] = users();
    await configure([dump, user()]);
    const refused = await program.run(["users"]);
    expect(refused).toMatchObject({ exitCode: 3, json: { error: { name: "DatabaseUserNotOursError" } } });
    expect(refused.stdout).toMatch(says);
    expect(refused.stdout).toContain("database.restore.user");
    expect(await accountsThatOpen()).toBe(0);
    expect(await versionsOf(arns[0] ?? "")).toEqual([]);
  });

  it("is what an empty secret of a user waits for, as a check of the secrets says", async () => {
    const before = await program.run(["config", "check", "--secrets"]);
    expect(before, before.stderr).toMatchObject({ exitCode: 0 });
    expect(before.stdout.match(/has no value yet; PrepareDatabaseUsers writes one/g)).toHaveLength(2);

    await program.run(["users"]);
    const after = await program.run(["config", "check", "--secrets"]);
    expect(after, after.stderr).toMatchObject({ exitCode: 0 });
    expect(after.stdout).not.toContain("has no value yet");
  });

  it("refuses an administrator's secret that is none, and shows nothing of it", async () => {
    const canary = "canary-4411";
    const refused = await program.run(["users"], { environment: { ADMINISTRATOR: `{"password":"${canary}"}` } });
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout).toContain("users.administrator: the value of the environment variable ADMINISTRATOR");
    expect(refused.stdout + refused.stderr).not.toContain(canary);
  });
});
