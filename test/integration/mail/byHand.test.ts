import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { CreateAccessKeyCommand, IAMClient } from "@aws-sdk/client-iam";
import { sqlName, sqlString } from "@openemr-ops/local/servers/databaseServer";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { documentedBlocks } from "../../support/documentedBlocks.ts";
import { aMailClinic, type MailClinic } from "../../support/mailClinic.ts";
import { type RunningProgram, realProgram, startReal } from "../../support/realCommandLine.ts";

let clinic: MailClinic;
let first: string;
beforeAll(async () => {
  clinic = await aMailClinic();
});
afterAll(() => clinic?.[Symbol.asyncDispose]());
beforeEach(async () => {
  first = await clinic.reset();
});

const configFile = () => join(clinic.directory, "c.json");
const start = (args: readonly string[], under: readonly string[] = []): RunningProgram =>
  startReal([...args, "--config", configFile(), "--json"], clinic.aws.environment, under);
const ops = (...args: readonly string[]) => start(args).ended;
const succeeded = async (...args: readonly string[]) => {
  const end = await ops(...args);
  expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0 });
  return end.json as Readonly<Record<string, unknown>>;
};
/** All that a rotation could change. */
const everything = async () => ({
  keys: await clinic.keys(),
  site: await clinic.site.everything(),
  secret: await clinic.texts(clinic.secret),
  keySecret: await clinic.texts(clinic.keySecret),
  parameter: await clinic.parameter(),
  files: [...(await clinic.files())].filter(([name]) => !name.startsWith("smtp/")),
});
const currentText = async (arn: string) =>
  JSON.parse((await clinic.texts(arn)).find(([stage]) => stage === "AWSCURRENT")?.[1] ?? "{}");

describe("rotate smtp", () => {
  it("replaces key, password, parameter and OpenEMR's settings, and the message that proves it arrived", {
    timeout: 120_000,
  }, async () => {
    const result = await succeeded("rotate", "smtp");
    const after = String(result.accessKeyId);
    expect(result).toMatchObject({
      accessKeyId: expect.stringMatching(/^AKIA/),
      previous: first,
      writtenTo: ["default"],
      testMessageId: expect.any(String),
      state: "soaking",
      redeploy: false,
    });
    expect(after).not.toBe(first);
    expect(clinic.smtp.received().at(-1)).toMatchObject({
      id: result.testMessageId,
      user: after,
      from: "notifications@example.org",
      to: ["success@simulator.amazonses.com"],
    });
    const login = await clinic.login();
    expect(login.user).toBe(after);
    expect(await currentText(clinic.secret)).toMatchObject({ username: after, password: login.password });
    expect(await clinic.parameter()).toBe(after);
    expect(await clinic.keys()).toEqual({ [first]: false, [after]: true });

    // The soak is not over: the next run looks, and begins no second rotation.
    expect(await succeeded("rotate", "smtp")).toMatchObject({ accessKeyId: after, state: "soaking", healed: [] });
    expect(await clinic.keys()).toEqual({ [first]: false, [after]: true });

    // A page that was opened before is saved now.
    await clinic.site.setting("SMTP_PASS", clinic.site.seal("BStalePage"));
    expect(await succeeded("rotate", "smtp", "--soak-minutes", "0")).toMatchObject({
      accessKeyId: after,
      previous: first,
      state: "done",
      healed: ["default"],
    });
    expect(await clinic.login()).toEqual(login);
    expect(await clinic.keys()).toEqual({ [after]: true });
    expect(await currentText(clinic.secret)).not.toHaveProperty("retiring");
  });

  it("in one run retires too, where nothing is to soak, and leaves no secret anywhere else", {
    timeout: 120_000,
  }, async () => {
    const seen = new Set<string>();
    let watching = true;
    const watched = (async () => {
      while (watching) {
        for (const pid of await readdir("/proc"))
          if (/^\d+$/.test(pid))
            for (const what of ["cmdline", "environ"])
              seen.add(await readFile(`/proc/${pid}/${what}`, "latin1").catch(() => ""));
        await sleep(20);
      }
    })();
    const before = await clinic.login();
    const end = await ops("rotate", "smtp", "--soak-minutes", "0");
    watching = false;
    await watched;
    expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0, json: { state: "done", previous: first } });
    const after = await clinic.login();
    const { password: key } = await currentText(clinic.keySecret);
    expect(key.length).toBeGreaterThan(30);
    const secrets = [before.password, after.password, key];
    const places = [...seen, end.stdout, end.stderr, ...(await clinic.files()).values()];
    for (const text of places) for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    expect(Object.keys(await clinic.keys())).toEqual([after.user]);
    expect(await succeeded("mail", "test")).toMatchObject({ ok: true, sites: [{ site: "default", user: after.user }] });
  });

  it("shows first what it would do, to who may only read, on a file system that nobody can write to", {
    timeout: 60_000,
  }, async () => {
    const { schema, sitesPath } = clinic.site;
    const reader = `${schema.name}_reader`;
    await schema.query(`CREATE USER ${sqlName(reader)}@'%' IDENTIFIED BY ${sqlString(schema.restoreUser.password)}`);
    await schema.query(`GRANT SELECT ON ${sqlName(schema.name)}.* TO ${sqlName(reader)}@'%'`);
    const sqlconf = join(sitesPath, "default/sqlconf.php");
    const text = await readFile(sqlconf, "utf8");
    await writeFile(sqlconf, text.replaceAll(schema.restoreUser.user, reader));
    const before = await everything();
    const mounts = [clinic.directory, sitesPath]
      .map((at) => `mount --bind '${at}' '${at}' && mount -o remount,ro,bind '${at}'`)
      .join(" && ");
    const under = ["unshare", "--mount", "sh", "-c", `${mounts} && exec "$@"`, "sh"];
    const end = await start(["rotate", "smtp", "--dry-run"], under).ended;
    await schema.query(`DROP USER ${sqlName(reader)}@'%'`);
    expect(end, `${end.stdout}${end.stderr}`).toMatchObject({
      exitCode: 0,
      json: { dryRun: true, accessKeyId: first, sites: ["default"], steps: expect.arrayContaining(["createKey"]) },
    });
    expect(await everything()).toEqual(before);
  });

  it("that is killed is continued by the next run, with one key in the end", { timeout: 120_000 }, async () => {
    for (const keys of [2, 1]) {
      const run = start(["rotate", "smtp", "--soak-minutes", "0"]);
      const reached = async () => {
        const there = await clinic.keys();
        const active = Object.values(there).filter(Boolean).length;
        return keys === 2 ? active === 2 : Object.keys(there).length === 2 && active === 1;
      };
      while (!(await reached())) await sleep(5);
      run.process.kill("SIGKILL");
      await run.ended;
      expect(await succeeded("mail", "test")).toMatchObject({ ok: true });
      expect(await succeeded("rotate", "smtp", "--soak-minutes", "0")).toMatchObject({ state: "done" });
      const { user } = await clinic.login();
      expect(await clinic.keys()).toEqual({ [user]: true });
    }
  });

  it("refuses a second run as busy, and the first is not disturbed", { timeout: 60_000 }, async () => {
    const run = start(["rotate", "smtp", "--soak-minutes", "0"]);
    while (Object.keys(await clinic.keys()).length < 2) await sleep(5);
    expect(await ops("rotate", "smtp")).toMatchObject({
      exitCode: 5,
      json: { error: { name: "InstallationBusyError" } },
    });
    expect(await run.ended).toMatchObject({ exitCode: 0, json: { state: "done" } });
  });

  it("keeps the key before while OpenEMR's queue fails, and ends once that is repaired", {
    timeout: 60_000,
  }, async () => {
    const { accessKeyId } = await succeeded("rotate", "smtp");
    await clinic.site.query(
      "INSERT INTO email_queue (recipient, sent, error, error_message, datetime_error) VALUES ('canary@example.org', 0, 1, 'canary', NOW() + INTERVAL 1 SECOND)",
    );
    const end = await ops("rotate", "smtp", "--soak-minutes", "0");
    expect(end).toMatchObject({ exitCode: 4, json: { error: { name: "MailQueueFailingError" } } });
    expect(end.stdout + end.stderr).not.toContain("canary");
    expect(await clinic.keys()).toEqual({ [first]: false, [String(accessKeyId)]: true });
    await clinic.site.query("DELETE FROM email_queue");
    expect(await succeeded("rotate", "smtp", "--soak-minutes", "0")).toMatchObject({ state: "done" });
  });

  it.each(["SENDMAIL", "PHPMAIL"])("has nothing to rotate where OpenEMR sends by %s", async (method) => {
    await clinic.site.setting("EMAIL_METHOD", method);
    const before = await everything();
    const end = await ops("rotate", "smtp");
    expect(end).toMatchObject({ exitCode: 0, json: { accessKeyId: null, writtenTo: [], state: "done" } });
    expect(end.stderr).toContain("does not send by SMTP");
    expect({ ...(await everything()), files: [] }).toEqual({ ...before, files: [] });
    expect(await succeeded("rotate", "smtp", "--dry-run")).toMatchObject({ steps: [], sites: [] });
  });

  describe("changes nothing and names what is wrong:", () => {
    it.each<{
      what: string;
      prepare: () => Promise<unknown>;
      name: string;
      exitCode: number;
      says: RegExp;
      /** It is tried for a while. */
      waits?: true;
    }>([
      {
        what: "a secret that is no JSON",
        prepare: () => clinic.put(clinic.secret, "canary"),
        name: "CredentialSecretError",
        exitCode: 4,
        says: /rotations\.smtp\.secret: the text is not JSON/,
      },
      {
        what: "a secret whose password is a number",
        prepare: () => clinic.put(clinic.secret, '{"username":"AKIA","password":5}'),
        name: "CredentialSecretError",
        exitCode: 4,
        says: /password is not a text/,
      },
      {
        what: "a second key that nobody wrote down",
        prepare: () => new IAMClient().send(new CreateAccessKeyCommand({ UserName: clinic.user })),
        name: "RotationRefusedError",
        exitCode: 3,
        says: /an access key that nobody wrote down: AKIA\w+ \(active\), beside AKIA\w+\. Find out who uses it/,
      },
      {
        what: "a password in OpenEMR that does not log in",
        prepare: () => clinic.site.setting("SMTP_PASS", clinic.site.seal("Bcanary")),
        name: "CredentialDriftError",
        exitCode: 4,
        says: /site default does not work now/,
        waits: true,
      },
      {
        what: "keys of the site that do not open its password",
        prepare: () => clinic.site.query("UPDATE `keys` SET value = ?", [Buffer.alloc(32, 7).toString("base64")]),
        name: "KeyPairError",
        exitCode: 6,
        says: /default/,
      },
      {
        what: "an IAM user who does not exist",
        prepare: () =>
          clinic.configure((one) => ({ ...one, rotations: { smtp: { ...clinic.rotation, iamUser: "x" } } })),
        name: "AccessKeyError",
        exitCode: 4,
        says: /there is no IAM user x.*rotations\.smtp\.iamUser/,
      },
      {
        what: "a server that does not answer",
        prepare: () =>
          clinic.configure((one) => ({
            ...one,
            rotations: { smtp: { ...clinic.rotation, server: { host: "127.0.0.1", port: 9, tls: "starttls" } } },
          })),
        name: "MailServerUnavailableError",
        exitCode: 4,
        says: /127\.0\.0\.1:9 cannot be reached/,
        waits: true,
      },
      {
        what: "no settings for it",
        prepare: () =>
          clinic.configure((one) => ({ ...one, rotations: { admin: { secret: "oe.json", user: "admin" } } })),
        name: "InvalidInputError",
        exitCode: 2,
        says: /installations\[0\]\.rotations\.smtp: is missing/,
      },
    ])("$what", { timeout: 120_000 }, async ({ prepare, name, exitCode, says, waits }) => {
      await prepare();
      const before = await everything();
      for (const more of waits ? [[]] : [["--dry-run"], []]) {
        const end = await ops("rotate", "smtp", ...more);
        expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode, json: { error: { name } } });
        expect(end.stdout).toMatch(says);
        expect(end.stdout + end.stderr).not.toContain("canary");
      }
      expect({ ...(await everything()), files: [] }).toEqual({ ...before, files: [] });
    });

    it("every field of its settings that is wrong, at once", async () => {
      const server = { host: "smtp.example.org", port: 465, tls: "starttls", caFile: "absent.pem" };
      const inStep = { secretAccessKey: clinic.secret, userParameter: "/aws/canary" };
      const testMessage = { from: "nobody", to: "a@example.org" };
      const smtp = { ...clinic.rotation, iamUser: "", server, testMessage, soakMinutes: -1, inStep, soakHours: 1 };
      await clinic.configure((one) => ({ ...one, rotations: { smtp } }));
      const before = await everything();
      const end = await ops("rotate", "smtp");
      expect(end).toMatchObject({ exitCode: 2, json: { error: { name: "InvalidInputError" } } });
      const { error } = end.json as { readonly error: { readonly issues: readonly { readonly path: string }[] } };
      const wrong = ["iamUser", "inStep.secretAccessKey", "inStep.userParameter", "server.caFile", "server.tls"];
      expect(error.issues.map(({ path }) => path).sort()).toEqual(
        [...wrong, "soakHours", "soakMinutes", "testMessage.from"].map(
          (name) => `installations[0].rotations.smtp.${name}`,
        ),
      );
      expect(await everything()).toEqual(before);
    });

    it("containers that would bring the old login back", { timeout: 60_000 }, async () => {
      const ecs = new ECSClient();
      await ecs.send(new CreateClusterCommand({ clusterName: "clinic" }));
      const environment = [{ name: "OPENEMR_SETTING_SMTP_PASS", value: "canary" }];
      const containerDefinitions = [{ name: "openemr", image: "openemr", memory: 128, environment }];
      await ecs.send(new RegisterTaskDefinitionCommand({ family: "openemr", containerDefinitions }));
      await ecs.send(new CreateServiceCommand({ cluster: "clinic", serviceName: "oe", taskDefinition: "openemr" }));
      const platform = { kind: "ecs", cluster: "clinic", service: "oe" };
      await clinic.configure((one) => ({ ...one, platform }));
      const before = await clinic.keys();
      const refused = await ops("rotate", "smtp");
      expect(refused).toMatchObject({ exitCode: 3, json: { error: { name: "RotationRefusedError" } } });
      expect(refused.stdout).toMatch(/container openemr gets OPENEMR_SETTING_SMTP_PASS from the text/);
      expect(refused.stdout + refused.stderr).not.toContain("canary");
      expect(await clinic.keys()).toEqual(before);

      const secrets = [
        { name: "OPENEMR_SETTING_SMTP_USER", valueFrom: "smtp_user" },
        { name: "OPENEMR_SETTING_SMTP_PASS", valueFrom: `${clinic.secret}:password::` },
      ];
      await ecs.send(
        new RegisterTaskDefinitionCommand({
          family: "in-step",
          containerDefinitions: [{ name: "openemr", image: "openemr", memory: 128, secrets }],
        }),
      );
      await ecs.send(
        new CreateServiceCommand({ cluster: "clinic", serviceName: "in-step", taskDefinition: "in-step" }),
      );
      await clinic.configure((one) => ({ ...one, platform: { ...platform, service: "in-step" } }));
      expect(await succeeded("rotate", "smtp")).toMatchObject({ state: "soaking", redeploy: true });
    });
  });
});

describe("config check --secrets", () => {
  it("logs in with the SMTP login that is written down", { timeout: 60_000 }, async () => {
    const check = async (text: string) => {
      if (text !== "") await clinic.put(clinic.secret, text);
      const end = await ops("config", "check", "--secrets");
      const { secrets } = end.json as { readonly secrets: readonly { readonly field: string }[] };
      const [secret, key] = ["secret", "inStep.secretAccessKey"].map((name) =>
        secrets.find(({ field }) => field === `installations[0].rotations.smtp.${name}`),
      );
      expect(key).toMatchObject({ ok: true, note: "its form alone was checked" });
      expect(end.stdout + end.stderr).not.toContain("canary");
      return secret;
    };
    const { user, password } = await clinic.login();
    expect(await check("")).toMatchObject({ ok: true, note: "has no value yet; rotate smtp writes one" });
    expect(await check('{"password":"canary"}')).toMatchObject({ ok: true, note: expect.stringMatching(/names no/) });
    expect(await check(JSON.stringify({ username: user, password }))).toMatchObject({
      ok: true,
      opens: `the SMTP server 127.0.0.1:${clinic.smtp.startTlsPort} as OpenEMR`,
      note: `logged in as ${user}`,
    });
    for (const [text, note] of [
      [JSON.stringify({ username: user, password: "canary" }), /MailLoginRefusedError/],
      ["canary", /CredentialSecretError: .*not JSON/],
    ] as const)
      expect(await check(text)).toMatchObject({ ok: false, note: expect.stringMatching(note) });
  });
});

describe("docs/mail.md", () => {
  it("has a configuration and commands that rotate, as they are written", { timeout: 180_000 }, async () => {
    const blocks = documentedBlocks(await readFile(join(repositoryRoot, "docs/mail.md"), "utf8"));
    const [written] = blocks.filter(({ file }) => file === "/etc/openemr-ops/rotations.json");
    const { smtp } = JSON.parse(written?.text ?? "{}");
    const { secret, server } = clinic.rotation;
    await clinic.configure((one) => ({ ...one, rotations: { smtp: { ...smtp, secret, server } } }));
    const commands = blocks
      .filter(({ language }) => language === "sh")
      .flatMap(({ text }) =>
        [...text.matchAll(/^openemr-ops ((?:mail test|rotate smtp) .+)$/gm)].map(([, command = ""]) => command),
      );
    expect(commands.length).toBeGreaterThan(3);
    for (const command of commands) {
      const args = command.split(/\s+/).map((one) => one.replace("/etc/openemr-ops/config.json", configFile()));
      const json = args.includes("--json") ? [] : ["--json"];
      const end = await startReal([...args, ...json], clinic.aws.environment).ended;
      expect(end, command).toMatchObject({ exitCode: 0 });
    }
    const { user } = await clinic.login();
    expect(user).not.toBe(first);
    expect(await clinic.keys()).toEqual({ [user]: true });
  });
});

describe("mail test", () => {
  it("sends with the login that OpenEMR's database contains, and says what OpenEMR sends through", async () => {
    const before = await everything();
    const result = await succeeded("mail", "test", "--to", "it@example.org");
    const { id } = clinic.smtp.received().at(-1) ?? {};
    expect(clinic.smtp.received().at(-1)).toMatchObject({ user: first, to: ["it@example.org"] });
    expect(result).toEqual({
      ok: true,
      server: `127.0.0.1:${clinic.smtp.startTlsPort}`,
      sites: [
        {
          site: "default",
          ok: true,
          method: "SMTP",
          user: first,
          openemr: "email-smtp.eu-central-1.amazonaws.com:587",
          notes: [expect.stringMatching(/^OpenEMR sends through email-smtp/)],
          messageId: id,
        },
      ],
    });
    expect(await everything()).toEqual(before);
  });

  it.each<{ what: string; settings: Readonly<Record<string, string>>; exitCode: number; site: object }>([
    {
      what: "a login that the server refuses",
      settings: { SMTP_PASS: "sealed" },
      exitCode: 4,
      site: {
        ok: false,
        error: { name: "MailLoginRefusedError", message: expect.stringContaining("refuses the login") },
      },
    },
    {
      what: "another way to send",
      settings: { EMAIL_METHOD: "SENDMAIL" },
      exitCode: 0,
      site: { ok: true, method: "SENDMAIL", notes: [expect.stringMatching(/no login to try/)] },
    },
    {
      what: "a port that hangs with that encryption",
      settings: { SMTP_PORT: "465" },
      exitCode: 0,
      site: { notes: [expect.anything(), "SMTP_SECURE has to be ssl on port 465"] },
    },
  ])("names $what", async ({ settings, exitCode, site }) => {
    for (const [name, value] of Object.entries(settings))
      await clinic.site.setting(name, value === "sealed" ? clinic.site.seal("Bcanary") : value);
    const end = await ops("mail", "test");
    expect(end).toMatchObject({ exitCode, json: { ok: exitCode === 0, sites: [site] } });
    expect(end.stdout + end.stderr).not.toContain("Bcanary");
  });

  it("refuses a recipient that is none", async () => {
    const end = await realProgram(["mail", "test", "--to", "a@example.org,b@example.org", "--json"]).ended;
    expect(end).toMatchObject({ exitCode: 2, json: { error: { name: "InvalidInputError" } } });
    expect(end.stdout).toContain("--to");
  });
});
