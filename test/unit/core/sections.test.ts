import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as field from "@openemr-ops/core/config/fields";
import { loadConfig } from "@openemr-ops/core/config/load";
import { findWeakSettings } from "@openemr-ops/core/config/places";
import { mapReferences, referencesIn } from "@openemr-ops/core/config/references";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import { secretsIn } from "@openemr-ops/core/config/secrets";
import { section } from "@openemr-ops/core/config/section";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import { strict } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { describe, expect, expectTypeOf, it } from "vitest";
import * as z from "zod";
import { aConfig, aConfigDirectory, anInstallation } from "../../support/configuration.ts";

const { dumps: _, ...withoutDumps } = anInstallation();

describe("who is notified of alarms", () => {
  it.each([
    { alarms: { slack: true }, says: /needs notifications\.slack/ },
    { alarms: { email: [] }, says: /e-mail addresses, one at least/ },
    { alarms: { email: ["on-call"] }, says: /expected an e-mail address/ },
  ])("is refused for $alarms", ({ alarms, says }) => {
    const { error } = configSchema.safeParse({ ...aConfig(), notifications: { alarms } });
    expect(error?.issues.map(({ message }) => message).join()).toMatch(says);
  });
});

describe("channels for jobs by hand", () => {
  const ecs = { kind: "ecs", cluster: "clinic", service: "openemr" } as const;

  it.each([
    { installations: [anInstallation({ platform: ecs })], warned: ["notifications.ping", "notifications.command"] },
    { installations: [anInstallation({ platform: ecs }), anInstallation({ id: "clinic-b" })], warned: [] },
  ])("are a warning where workflows alone run the jobs: $warned", ({ installations, warned }) => {
    const notifications = { ping: [{ urlFile: "ping.url" }], command: { run: ["page"] } };
    const written = configSchema.parse({ ...aConfig(), notifications });
    const config = resolveConfig(written, "/etc");
    const [first] = config.installations;
    const settled = installations.map(({ platform }) => ({ ...first, platform })) as typeof config.installations;

    const paths = findWeakSettings({ ...config, installations: settled }).map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith("notifications"))).toEqual(warned);
  });

  it("have defaults of mail providers, and secrets that are read later", () => {
    const email = { host: "smtp.example.org", from: "a@clinic.example", to: ["b@clinic.example"] };
    const settle = (more: object) =>
      resolveConfig(configSchema.parse({ ...aConfig(), notifications: { email: { ...email, ...more } } }), "/etc")
        .notifications.email;

    expect(settle({})).toMatchObject({ tls: "starttls", port: 587, on: ["failure", "recovery"], login: undefined });
    expect(settle({ tls: "implicit" })).toMatchObject({ port: 465 });
    expect(settle({ port: 465 })).toMatchObject({ tls: "implicit" });
    expect(settle({ tls: "none" })).toMatchObject({ port: 25 });
    expect(settle({ user: "ops", passwordFile: "mail" })).toMatchObject({
      login: { user: "ops", password: { kind: "file", path: "/etc/mail" } },
    });
  });
});

describe("a section", () => {
  const written = strict({
    url: field.httpUrl,
    bodyIncludes: z.string().optional(),
    page: field.place.optional(),
    ...field.secretOf("token"),
  });

  it("hands on a new field without a line of its own", () => {
    const health = section(
      written,
      ({ token, tokenFile, ...rest }) => ({ ...rest, token: token ?? tokenFile }),
      "tokenFile",
    );
    const token = { kind: "file", path: "/etc/token", field: "health.tokenFile" } as const;
    const settings = health.settle({ url: "https://openemr.example.org", page: "/etc/page", tokenFile: token });
    expect(settings).toEqual({ url: "https://openemr.example.org", page: "/etc/page", token });
    expectTypeOf(settings.bodyIncludes).toEqualTypeOf<string | undefined>();
  });

  it("does not compile where a field is forgotten", () => {
    const forgetful = section(
      written,
      ({ url, token, tokenFile }) => ({ url, token: token ?? tokenFile }),
      "tokenFile",
    );
    expectTypeOf(forgetful).toEqualTypeOf<{ readonly forgotten: "bodyIncludes" | "page" }>();
    // @ts-expect-error it is no section as long as fields are forgotten
    expect(forgetful.schema).toBe(written);
  });
});

describe("what a configuration refers to", () => {
  it("is found by its shape, wherever it stands and whatever is broken beside it", () => {
    const server = { host: 7, passwordFile: "drill.password", caFile: "ca.pem" };
    const broken = {
      stateDirectory: "state",
      unknown: "x",
      notifications: { slack: { webhook: "env:WEBHOOK" } },
      installations: [
        7,
        { platform: { kind: "host", codePath: "code" }, sites: { path: 1 }, dumps: { drill: { database: server } } },
      ],
    };
    const found = referencesIn(configSchema, broken);
    expect(found.map((one) => [one.field, one.text, one.reference.kind])).toEqual([
      ["stateDirectory", "state", "file"],
      ["notifications.slack.webhook", "env:WEBHOOK", "secret"],
      ["installations[1].platform.codePath", "code", "file"],
      ["installations[1].dumps.drill.database.passwordFile", "drill.password", "secret"],
      ["installations[1].dumps.drill.database.caFile", "ca.pem", "file"],
    ]);
  });

  it("is never overlooked: a shape that could hide it is refused", () => {
    const hiding = strict({ servers: z.map(z.string(), field.place) });
    expect(() => mapReferences(hiding, { servers: new Map([["a", "x"]]) }, () => undefined)).toThrow(/map; teach/);
  });

  it("is found in an object with any names", () => {
    const open = strict({ servers: z.record(z.string(), field.place) });
    expect(referencesIn(open, { servers: { a: "x" } }).map((found) => found.field)).toEqual(["servers.a"]);
  });

  it("becomes the secrets that a deployment finds, those of later sections too", async () => {
    await using directory = await aConfigDirectory();
    const { installations } = await loadConfig(await directory.write(aConfig()));
    expect(new Set(secretsIn(installations).map((secret) => secret.field))).toEqual(
      new Set(["installations[0].database.passwordFile", "installations[0].dumps.passwordFile"]),
    );
    const token = { kind: "environment", name: "TOKEN", field: "installations[0].health.token" } as const;
    expect(secretsIn([{ health: { url: "x", deep: { token } } }])).toEqual([token]);
  });
});

describe("a file that others may change", () => {
  it("is refused where it opens dumps, and not where it is public anyhow", async () => {
    await using directory = await aConfigDirectory();
    for (const [name, text] of [
      ["id", "AGE-SECRET-KEY-1X\n"],
      ["ca.pem", "-----BEGIN CERTIFICATE-----\n"],
    ] as const) {
      await writeFile(join(directory.path, name), text);
      await chmod(join(directory.path, name), 0o666);
    }
    const { passwordFile: __, ...kept } = anInstallation().dumps;
    const dumps = { ...kept, format: "portable", ageIdentityFile: "id" } as const;
    const database = { ...anInstallation().database, tls: "verify", caFile: "ca.pem" } as const;
    const loaded = loadConfig(await directory.write(aConfig(anInstallation({ database, dumps }))));
    await expect(loaded).rejects.toMatchObject({
      issues: [{ path: "installations[0].dumps.ageIdentityFile", message: expect.stringMatching(/can be changed/) }],
    });
  });
});

describe("a drill's server", () => {
  const own = { host: "db", port: 3307, user: "dumper", passwordFile: "own", caFile: "ca.pem", name: "openemr" };
  const drillOf = (server: object) => {
    const dumps = {
      ...anInstallation().dumps,
      drill: { database: { user: "driller", passwordFile: "its", ...server } },
    };
    const config = configSchema.parse(aConfig({ ...anInstallation({ dumps }), database: own }));
    return resolveConfig(config, "/etc").installations[0]?.dumps?.drill.database;
  };
  const password = { kind: "file", path: "/etc/its", field: "installations[0].dumps.drill.database.passwordFile" };

  it("is the installation's own without a host, reached as that one is, by a user of its own", () => {
    const there = { host: "db", port: 3307, tls: "verify", caFile: "/etc/ca.pem" };
    expect(drillOf({})).toEqual({ ...there, user: "driller", password });
    expect(drillOf({ port: 3308, caFile: "its.pem" })).toMatchObject({ ...there, port: 3308, caFile: "/etc/its.pem" });
  });

  it.each([
    { platform: { kind: "ecs", cluster: "c", service: "s" }, database: undefined, server: "own" },
    { platform: { kind: "kubernetes" }, database: undefined, server: undefined },
    { platform: { kind: "host" }, database: undefined, server: undefined },
    { platform: { kind: "host" }, database: "own", server: "own" },
  ] as const)("is by default one of the drill's own on ECS alone: $platform.kind, $database", (installation) => {
    const { platform, database, server } = installation;
    const dumps = { ...anInstallation().dumps, drill: database === undefined ? {} : { database } };
    const config = configSchema.parse(aConfig({ ...anInstallation({ dumps }), platform }));

    expect(resolveConfig(config, "/etc").installations[0]?.dumps?.drill.database).toBe(server);
  });

  it("on ECS too is the one that is set", () => {
    const drill = { database: { user: "driller", passwordFile: "its" } };
    const platform = { kind: "ecs", cluster: "c", service: "s" } as const;
    const config = configSchema.parse(
      aConfig({ ...anInstallation({ dumps: { ...anInstallation().dumps, drill } }), platform }),
    );

    expect(resolveConfig(config, "/etc").installations[0]?.dumps?.drill.database).toMatchObject({ user: "driller" });
  });

  it("takes nothing of the installation's own with a host", () => {
    expect(drillOf({ host: "else" })).toEqual({ host: "else", port: 3306, tls: "required", user: "driller", password });
  });
});

describe("where health is looked at", () => {
  const healthOf = (health: object) =>
    resolveConfig(configSchema.parse({ installations: [{ ...withoutDumps, health }] }), "/etc").installations[0]
      ?.health;

  it("is an address, with its certificate checked unless the configuration says otherwise", () => {
    const url = "http://127.0.0.1:8080/";
    expect(healthOf({ url, bodyIncludes: "ok" })).toEqual({ url, bodyIncludes: "ok", tls: "verify" });
    const tls = "https://openemr.example.org";
    expect(healthOf({ url: tls, caFile: "ca.pem" })).toEqual({ url: tls, tls: "verify", caFile: "/etc/ca.pem" });
    expect(healthOf({ url: tls, tls: "required" })).toEqual({ url: tls, tls: "required" });
  });
});

describe("the SMTP server of a rotation", () => {
  const smtp = {
    iamUser: "ses-smtp-user",
    secret: "smtp.json",
    region: "eu-central-1",
    testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
  };
  const smtpOf = (change: object) =>
    resolveConfig(
      configSchema.parse({ installations: [{ ...withoutDumps, rotations: { smtp: { ...smtp, ...change } } }] }),
      "/etc",
    ).installations[0]?.rotations?.smtp;

  it("is that of the region, and the key before stays for a day, unless the configuration says otherwise", () => {
    expect(smtpOf({})).toEqual({
      ...smtp,
      secret: { kind: "file", path: "/etc/smtp.json", field: "installations[0].rotations.smtp.secret", document: true },
      server: { host: "email-smtp.eu-central-1.amazonaws.com", port: 587, tls: "starttls" },
      otherRegions: [],
      inStep: {},
      soakMinutes: 1440,
      settleSeconds: 10,
    });
    expect(smtpOf({ region: "cn-north-1" })?.server.host).toBe("email-smtp.cn-north-1.amazonaws.com.cn");
  });

  it.each([
    [{ host: "smtp.example.org" }, { port: 587, tls: "starttls" }],
    [
      { host: "smtp.example.org", port: 2465 },
      { port: 2465, tls: "implicit" },
    ],
    [
      { host: "127.0.0.1", port: 40_001 },
      { port: 40_001, tls: "starttls" },
    ],
    [
      { host: "localhost", port: 40_001, tls: "implicit" },
      { port: 40_001, tls: "implicit" },
    ],
    [
      { host: "127.0.0.1", port: 2587, caFile: "ca.pem" },
      { tls: "starttls", caFile: "/etc/ca.pem" },
    ],
  ])("%j is reached as its port speaks", (server, expected) => {
    expect(smtpOf({ server })?.server).toMatchObject(expected);
  });
});

describe("an installation without a section", () => {
  it("is in order, and its files are still looked at", async () => {
    await using directory = await aConfigDirectory();
    const config = await loadConfig(await directory.write({ installations: [withoutDumps] }));
    expect(selectInstallation(config)).not.toHaveProperty("dumps");
    const broken = { ...withoutDumps, database: { ...withoutDumps.database, passwordFile: "absent" } };
    await expect(loadConfig(await directory.write({ installations: [broken] }))).rejects.toThrow(
      `the password file does not exist (relative names start at ${directory.path})`,
    );
  });

  it("is refused by the section's name where a job needs it", async () => {
    await using directory = await aConfigDirectory();
    const other = { ...withoutDumps, id: "clinic-b" };
    const config = await loadConfig(await directory.write({ installations: [anInstallation(), other] }));
    const first = requireSection(config, selectInstallation(config, "clinic-a"), "dumps");
    expect(first.dumps.destination).toEqual({ kind: "file", directory: "/srv/backups/clinic-a" });
    const refusal = () => requireSection(config, selectInstallation(config, "clinic-b"), "dumps");
    expect(refusal).toThrow(
      new InvalidInputError([
        {
          path: "installations[1].dumps",
          message: "is missing; this job needs it: add the section dumps to the installation clinic-b",
        },
      ]),
    );
  });

  it("does not hide places that the sections of others overlap", async () => {
    await using directory = await aConfigDirectory();
    const other = { ...withoutDumps, id: "clinic-b", sites: { path: "/srv/backups/clinic-a/sites" } };
    const config = await directory.write({ installations: [other, anInstallation()] });
    await expect(loadConfig(config)).rejects.toThrow(/sites\.path lie in one another/);
  });
});
