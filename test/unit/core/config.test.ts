import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig, loadConnection } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { describe, expect, it } from "vitest";
import { brokenConfigs, setAt } from "../../support/brokenConfigs.ts";
import {
  aConfig,
  aConfigDirectory,
  anInstallation,
  databasePassword,
  repositoryPassword,
  type WrittenInstallation,
} from "../../support/configuration.ts";

const issuesOf = async (promise: Promise<unknown>): Promise<readonly InputIssue[]> => {
  const error: unknown = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (error instanceof InvalidInputError) return error.issues;
  throw new Error("expected the configuration to be refused", { cause: error });
};

const dumps = (changes: Partial<WrittenInstallation["dumps"]>): WrittenInstallation =>
  anInstallation({ dumps: { ...anInstallation().dumps, ...changes } });

const portable: WrittenInstallation["dumps"] = {
  format: "portable",
  destination: "gs://clinic-a-dumps/openemr",
  retention: { keepLast: 3 },
};

describe("a configuration in order", () => {
  it("is read with defaults filled in, files made absolute and passwords left where they are", async () => {
    await using directory = await aConfigDirectory();
    const config = await loadConfig(await directory.write(aConfig()));
    expect(config).toEqual({
      path: join(directory.path, "c.json"),
      stateDirectory: join(directory.path, ".openemr-ops"),
      warnings: [],
      written: aConfig(),
      notifications: {},
      installations: [
        {
          id: "clinic-a",
          platform: { kind: "host" },
          schedules: {},
          database: {
            host: "127.0.0.1",
            port: 3306,
            name: "openemr",
            user: "dump",
            password: {
              kind: "file",
              path: join(directory.path, "db.password"),
              field: "installations[0].database.passwordFile",
            },
            tls: "off",
            restore: {
              host: "127.0.0.1",
              port: 3306,
              user: "dump",
              password: {
                kind: "file",
                path: join(directory.path, "db.password"),
                field: "installations[0].database.passwordFile",
              },
            },
          },
          sites: { path: "/srv/openemr/sites" },
          dumps: {
            format: "restic",
            destination: { kind: "file", directory: "/srv/backups/clinic-a" },
            password: {
              kind: "file",
              path: join(directory.path, "repo.password"),
              field: "installations[0].dumps.passwordFile",
            },
            retention: { keepLast: 0, keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 7 },
            copies: [],
            stallSeconds: 300,
            drill: {},
          },
        },
      ],
    });
  });

  it("verifies the server's certificate when a certificate file is named, and encrypts in any case", async () => {
    await using directory = await aConfigDirectory();
    await writeFile(join(directory.path, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
    const { tls: _, ...database } = anInstallation().database;
    const withFile = anInstallation({ id: "a", database: { ...database, caFile: "ca.pem" } });
    const without = { ...dumps({ destination: "file:///srv/other" }), id: "b", database };
    const { installations } = await loadConfig(await directory.write(aConfig(withFile, without)));
    expect(installations.map((one) => [one.database.tls, one.database.caFile])).toEqual([
      ["verify", join(directory.path, "ca.pem")],
      ["required", undefined],
    ]);
  });

  it.each<[string, Partial<WrittenInstallation["dumps"]>, unknown]>([
    [
      "a bucket of AWS",
      { destination: "s3://clinic-a/openemr/dumps", region: "eu-central-1" },
      { kind: "s3", bucket: "clinic-a", prefix: "openemr/dumps", region: "eu-central-1", pathStyle: false },
    ],
    [
      "a bucket on a server of one's own",
      { destination: "s3://clinic-a", endpoint: "http://127.0.0.1:9000/" },
      {
        kind: "s3",
        bucket: "clinic-a",
        prefix: "",
        endpoint: "http://127.0.0.1:9000",
        region: "us-east-1",
        pathStyle: true,
      },
    ],
    [
      "a server that wants the bucket in its name",
      { destination: "s3://clinic-a/x/", endpoint: "https://s3.example.org", region: "fr-par", pathStyle: false },
      {
        kind: "s3",
        bucket: "clinic-a",
        prefix: "x",
        endpoint: "https://s3.example.org",
        region: "fr-par",
        pathStyle: false,
      },
    ],
    [
      "a bucket of Google Cloud",
      { destination: "gs://clinic_a.dumps/openemr" },
      { kind: "gcs", bucket: "clinic_a.dumps", prefix: "openemr" },
    ],
    [
      "a directory with a space and an umlaut",
      { destination: "file:///srv/my%20backups/Größe/" },
      { kind: "file", directory: "/srv/my backups/Größe" },
    ],
  ])("takes %s apart", async (_, changes, expected) => {
    await using directory = await aConfigDirectory();
    const config = await loadConfig(await directory.write(aConfig(dumps(changes))));
    expect(selectInstallation(config).dumps?.destination).toEqual(expected);
  });

  it("keeps references to variables and AWS secrets as such", async () => {
    await using directory = await aConfigDirectory();
    const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openemr/db-AbCdEf";
    const { passwordFile: _, ...database } = anInstallation().database;
    const installation = anInstallation({
      database: {
        ...database,
        password: `${arn}#reader_password`,
        restore: { user: "admin", passwordFile: "env:ADMIN_PASSWORD" },
      },
    });
    const config = await loadConfig(await directory.write(aConfig(installation)), {
      environment: { ADMIN_PASSWORD: "x" },
    });
    expect(selectInstallation(config).database).toMatchObject({
      password: { kind: "aws", arn, key: "reader_password", field: "installations[0].database.password" },
      restore: {
        user: "admin",
        password: {
          kind: "environment",
          name: "ADMIN_PASSWORD",
          field: "installations[0].database.restore.passwordFile",
        },
      },
    });
  });

  it.each([
    { what: "the dumps' server", restore: {}, place: { host: "127.0.0.1", port: 3307 } },
    {
      what: "its own server",
      restore: { host: "writer.example.org" },
      place: { host: "writer.example.org", port: 3306 },
    },
    { what: "its own port", restore: { port: 3308 }, place: { host: "127.0.0.1", port: 3308 } },
  ])("restores, and drills that name no server, write to $what", async ({ restore, place }) => {
    await using directory = await aConfigDirectory();
    const admin = { user: "admin", passwordFile: "env:ADMIN_PASSWORD" };
    const database = { ...anInstallation().database, port: 3307, restore: { ...restore, ...admin } };
    const installation = { ...dumps({ drill: { database: admin } }), database };
    const config = await loadConfig(await directory.write(aConfig(installation)), {
      environment: { ADMIN_PASSWORD: "x" },
    });
    const { database: settled, dumps: settledDumps } = selectInstallation(config);
    expect([settled.host, settled.port]).toEqual(["127.0.0.1", 3307]);
    expect(settled.restore).toMatchObject(place);
    expect(settledDumps?.drill.database).toMatchObject(place);
  });

  it("fills in how portable dumps are compressed", async () => {
    await using directory = await aConfigDirectory();
    const config = await loadConfig(await directory.write(aConfig(anInstallation({ dumps: portable }))));
    expect(selectInstallation(config).dumps).toMatchObject({
      format: "portable",
      compression: "zstd",
      ageRecipients: [],
    });
  });

  it("may be TypeScript with a default export", async () => {
    await using directory = await aConfigDirectory();
    const file = join(directory.path, "openemr-ops.config.ts");
    await writeFile(file, `const id: string = "clinic-a";\nexport default { ...${JSON.stringify(aConfig())}, ok: id }`);
    expect(await issuesOf(loadConfig(file))).toEqual([
      { path: "ok", message: "unknown setting; known here: stateDirectory, metricsFile, notifications, installations" },
    ]);
    const other = join(directory.path, "other.ts");
    await writeFile(other, `const port: number = 3307;\nexport default ${JSON.stringify(aConfig())} as unknown;`);
    expect((await loadConfig(other)).installations).toHaveLength(1);
  });

  it("warns of what others can read and of patient data in the clear", async () => {
    await using directory = await aConfigDirectory();
    await chmod(join(directory.path, "db.password"), 0o640);
    await writeFile(join(directory.path, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
    const database = { ...anInstallation().database, host: "db.example.org" };
    const plain = anInstallation({ database });
    const half = { ...dumps({ destination: "file:///srv/other" }), id: "b" };
    const config = aConfig(plain, { ...half, database: { ...database, tls: "required", caFile: "ca.pem" } });
    const { warnings } = await loadConfig(await directory.write(config));
    expect(warnings.map(({ path }) => path)).toEqual([
      "installations[0].database.passwordFile",
      "installations[1].database.passwordFile",
      "installations[0].database.tls",
      "installations[1].database.caFile",
    ]);
  });

  it.each([
    { drill: undefined, warned: true },
    { drill: { database: { user: "openemr_restore", passwordFile: "db.password" } }, warned: true },
    { drill: { database: { user: "openemr_drill", passwordFile: "db.password" } }, warned: false },
    { drill: { database: "own" as const }, warned: false },
    { drill: { database: { host: "other", user: "openemr_restore", passwordFile: "db.password" } }, warned: false },
  ])("warns of drills by a user who may change the live schema: $drill", async ({ drill, warned }) => {
    await using directory = await aConfigDirectory();
    const { database, dumps: kept } = anInstallation();
    const restore = { user: "openemr_restore", passwordFile: "db.password" };
    const config = aConfig(
      anInstallation({ database: { ...database, restore }, dumps: { ...kept, ...(drill ? { drill } : {}) } }),
    );

    const { warnings } = await loadConfig(await directory.write(config));

    expect(warnings.filter(({ path }) => path === "installations[0].dumps.drill.database")).toHaveLength(
      warned ? 1 : 0,
    );
  });

  it("takes the installation's own server for a drill's user without a host", async () => {
    await using directory = await aConfigDirectory();
    const { database, dumps: kept } = anInstallation();
    const drill = { database: { user: "openemr_drill", passwordFile: "db.password" } };
    const config = aConfig(anInstallation({ database: { ...database, port: 3307 }, dumps: { ...kept, drill } }));

    const [installation] = (await loadConfig(await directory.write(config))).installations;

    const { host, port, tls } = installation?.database ?? {};
    expect(installation?.dumps?.drill.database).toMatchObject({ host, port, tls, user: "openemr_drill" });
  });

  it("looks only at the files of the installation of interest", async () => {
    await using directory = await aConfigDirectory();
    const elsewhere = { ...dumps({ destination: "file:///srv/b", passwordFile: "not-here" }), id: "clinic-b" };
    const file = await directory.write(aConfig(anInstallation(), elsewhere));
    await expect(loadConfig(file, { installation: "clinic-a" })).resolves.toMatchObject({ warnings: [] });
    expect((await issuesOf(loadConfig(file))).map(({ path }) => path)).toEqual(["installations[1].dumps.passwordFile"]);
  });
});

describe("a broken configuration", () => {
  it.each(brokenConfigs)("is refused when $wrong", async ({ change, path, says }) => {
    await using directory = await aConfigDirectory();
    const issues = await issuesOf(loadConfig(await directory.write(change(aConfig()))));
    expect(issues.map((issue) => issue.path)).toContain(path);
    expect(issues.find((issue) => issue.path === path)?.message).toMatch(says);
  });

  it.each([
    { users: ["ses", "SES"], accounts: ["111122223333", "111122223333"], taken: true },
    { users: ["ses", "ses"], accounts: ["111122223333", "444455556666"], taken: false },
    { users: ["ses-a", "ses-b"], accounts: ["111122223333", "111122223333"], taken: false },
  ])(
    "is refused where two installations rotate the keys of one IAM user: $users of $accounts",
    async ({ users, accounts, taken }) => {
      await using directory = await aConfigDirectory();
      const rotating = (at: number) => ({
        ...anInstallation(),
        id: `clinic-${at}`,
        rotations: {
          smtp: {
            iamUser: `${users[at]}`,
            secret: `arn:aws:secretsmanager:eu-central-1:${accounts[at]}:secret:smtp-AbCdEf`,
            region: "eu-central-1",
            testMessage: { from: "a@example.org", to: "b@example.org" },
          },
        },
      });
      const config = setAt(aConfig(rotating(0), rotating(1)), "installations.1.dumps.destination", "file:///srv/b");
      const file = await directory.write(config);
      const issues = taken ? await issuesOf(loadConfig(file)) : (await loadConfig(file)) && [];
      expect(issues.map(({ path }) => path)).toEqual(taken ? ["installations[1].rotations.smtp.iamUser"] : []);
    },
  );

  it("is refused with all its issues at once, those of the disk included", async () => {
    await using directory = await aConfigDirectory();
    let config: unknown = aConfig();
    config = setAt(config, "installations.0.database.port", "3306");
    config = setAt(config, "installations.0.database.passwordFile", "absent");
    config = setAt(config, "installations.0.dumps.retention", undefined);
    config = setAt(config, "instalations", []);
    expect(await issuesOf(loadConfig(await directory.write(config)))).toEqual([
      { path: "installations[0].database.port", message: 'expected a whole number from 1 to 65535, got "3306"' },
      { path: "installations[0].dumps.retention", message: "is missing; expected an object" },
      { path: "instalations", message: "unknown setting; did you mean installations?" },
      {
        path: "installations[0].database.passwordFile",
        message: `the password file does not exist (relative names start at ${directory.path})`,
      },
    ]);
  });

  it.each([
    ["an unclosed object", '{ "installations": [', "line 1, column 21: expected a value or ]"],
    [
      "a comma too many",
      '{\n  "installations": [],\n}',
      "line 3, column 1: expected a setting's name in double quotes",
    ],
    ["a bare word", '{\n  "password": hunter2\n}', "line 2, column 15: expected a value"],
    ["single quotes", "{ 'a': 1 }", "line 1, column 3: expected a setting's name in double quotes"],
    ["a comment", "// mine\n{}", "line 1, column 1: expected a value"],
    ["a missing colon", '{ "a" 1 }', "line 1, column 7: expected a colon"],
    ["a missing comma", '{ "a": 1 "b": 2 }', "line 1, column 10: expected a comma"],
    ["something after the end", "{} {}", "line 1, column 4: expected nothing more"],
    ["a line break inside a text", '{ "a": "x\ny" }', "line 1, column 8: expected a value"],
    ["a number with a leading zero", '{ "a": 0755 }', "line 1, column 8: expected a value"],
    ["nothing at all", "", "line 1, column 1: expected a value"],
  ])("says line and column, and quotes nothing, for %s", async (_, text, message) => {
    await using directory = await aConfigDirectory();
    const [issue] = await issuesOf(loadConfig(await directory.write(text)));
    expect(issue?.path).toBe("");
    expect(issue?.message).toContain(message);
    expect(issue?.message).not.toContain("hunter2");
  });

  it("names a setting that stands twice, of which JSON would drop the first", async () => {
    await using directory = await aConfigDirectory();
    const text = JSON.stringify(aConfig()).replace('"port":3306', '"port":3306,"port":3307');
    const [issue] = await issuesOf(loadConfig(await directory.write(text)));
    expect(issue?.path).toBe("installations[0].database.port");
    expect(issue?.message).toContain("is set twice");
  });

  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ["absent", async () => {}, /c\.json does not exist/],
    ["a directory", (path) => mkdir(path), /is a directory/],
    ["a link to itself", (path) => symlink(path, path), /link that leads to itself/],
    ["not text", (path) => writeFile(path, Buffer.from([0xff, 0xfe, 0x7b])), /is not UTF-8 text/],
    ["larger than any configuration", (path) => writeFile(path, " ".repeat(1024 * 1024 + 1)), /larger than 1 MiB/],
  ])("is refused when the file is %s", async (_, make, says) => {
    await using directory = await aConfigDirectory();
    const file = join(directory.path, "c.json");
    await make(file);
    expect((await issuesOf(loadConfig(file)))[0]?.message).toMatch(says);
  });

  it.each([
    ["does not compile", "export default {{{ hunter2", /cannot be imported; run "node /],
    ["throws", 'throw new Error("hunter2")', /cannot be imported; run "node /],
    ["exports nothing", "const a = 1;", /lacks "export default"/],
  ])("is refused when its TypeScript %s", async (_, text, says) => {
    await using directory = await aConfigDirectory();
    const file = join(directory.path, "c.ts");
    await writeFile(file, text);
    const [issue] = await issuesOf(loadConfig(file));
    expect(issue?.message).toMatch(says);
    expect(issue?.message).not.toContain("hunter2");
  });

  it("is refused in a form that nobody reads", async () => {
    expect((await issuesOf(loadConfig("/etc/openemr-ops.yaml")))[0]?.message).toContain("expected a .json or .ts file");
  });

  it("never shows a password, wherever one was pasted", async () => {
    await using directory = await aConfigDirectory();
    const canary = "hunter2-canary";
    await writeFile(join(directory.path, "two.password"), `${canary}\n${canary}\n`, { mode: 0o600 });
    const places: readonly [string, unknown][] = [
      ["installations.0.database.password", canary],
      ["installations.0.database.passwordFile", canary],
      ["installations.0.database.passwordFile", "two.password"],
      ["installations.0.database.passwordFile", { value: canary }],
      ["installations.0.users", { administrator: `{"username":"root","password":"${canary}"}` }],
      ["installations.0.rotations", { database: { slots: `{"A":"${canary}"}`, administrator: `{"p":"${canary}"}` } }],
      ["installations.0.database.passwrod", canary],
      ["installations.0.database", `mysql://dump:${canary}@db/openemr`],
      ["installations.0.database.host", `dump:${canary}@db`],
      ["installations.0.dumps.passwordFile", [canary]],
      ["installations.0.dumps.destination", `s3://key:${canary}@bucket/prefix`],
      ["installations.0.dumps.destination", `s3://bucket/prefix?X-Amz-Signature=${canary}`],
      ["installations.0.dumps.endpoint", `https://key:${canary}@s3.example.org`],
      ["installations.0.dumps.ageIdentityFile", `AGE-SECRET-KEY-1${canary}`],
      ["installations.0.dumps.ageRecipients", [`AGE-SECRET-KEY-1${canary}`]],
      ["installations.0.url", `https://admin:${canary}@openemr.example.org`],
      ["password", canary],
    ];
    for (const [place, value] of places) {
      const issues = await issuesOf(loadConfig(await directory.write(setAt(aConfig(), place, value))));
      expect(JSON.stringify(issues), place).not.toContain(canary);
      expect(JSON.stringify(issues), place).not.toContain(databasePassword);
      expect(JSON.stringify(issues), place).not.toContain(repositoryPassword);
    }
  });
});

describe("the choice of an installation", () => {
  const installations = (...ids: readonly string[]) => ({
    stateDirectory: "/x",
    notifications: {},
    installations: ids.map((id) => ({ id })) as unknown as Parameters<typeof selectInstallation>[0]["installations"],
  });

  it("falls on the only one when none is named", () => {
    expect(selectInstallation(installations("clinic-a")).id).toBe("clinic-a");
    expect(selectInstallation(installations("clinic-a", "clinic-b"), "clinic-b").id).toBe("clinic-b");
  });

  it.each([
    [undefined, "is missing; expected one of clinic-a, hospital"],
    ["clinic", 'there is no "clinic"; did you mean clinic-a?'],
    ["zzz", 'there is no "zzz"; expected one of clinic-a, hospital'],
  ])("is refused for %s among several, with the ids to choose from", (id, message) => {
    expect(() => selectInstallation(installations("clinic-a", "hospital"), id)).toThrow(
      new InvalidInputError([{ path: "installation", message }]),
    );
  });
});

describe("a connection file", () => {
  it("is read with its password left where it is", async () => {
    await using directory = await aConfigDirectory();
    const file = await directory.write({ host: "db", name: "restored", user: "openemr", passwordFile: "db.password" });
    expect(await loadConnection(file)).toEqual({
      host: "db",
      port: 3306,
      name: "restored",
      user: "openemr",
      password: { kind: "file", path: join(directory.path, "db.password"), field: "passwordFile" },
    });
  });

  it("is refused with every issue under its field", async () => {
    await using directory = await aConfigDirectory();
    const file = await directory.write({ host: "d b", port: 0, user: "openemr", passwordFile: "absent", pass: "x" });
    expect((await issuesOf(loadConnection(file))).map(({ path }) => path).sort()).toEqual([
      "host",
      "name",
      "pass",
      "passwordFile",
      "port",
    ]);
  });
});
