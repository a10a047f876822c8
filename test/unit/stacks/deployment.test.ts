import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfigText } from "@openemr-ops/core/config/load";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { type DeploymentPlace, deploymentOf } from "@openemr-ops/stacks/deployment";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aConfigDirectory, anInstallation } from "../../support/configuration.ts";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";

type Written = Record<string, unknown>;

/** The sample configuration after some changes to its first installation. */
const aDeployable = async (change: (installation: Written, config: Written) => void = () => {}) => {
  const config: { installations: Written[] } & Written = JSON.parse(await readFile(sampleConfigPath, "utf8"));
  const [first = {}] = config.installations;
  change(first, config);
  return loadConfigText(JSON.stringify(config), { from: "test", directory: "/etc/openemr-ops" });
};

const place = { region: "eu-central-1", account: "123456789012" };

const issuesOf = async (
  change: (installation: Written, config: Written) => void,
  stage = "prod",
  where: DeploymentPlace = place,
) => {
  const config = await aDeployable(change);
  try {
    deploymentOf(config, stage, where);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.issues;
    throw error;
  }
  return [];
};

const without = (object: unknown, ...names: readonly string[]): Written =>
  Object.fromEntries(Object.entries(object as Written).filter(([name]) => !names.includes(name)));

describe("rotations that are deployed", () => {
  const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:clinic-a/${name}`;
  const deployed = async (change?: (installation: Written) => void) =>
    deploymentOf(await aDeployable(change), "prod", place).installations[0]?.rotations;

  it("know their secrets, and the cluster by the database's endpoint", async () => {
    expect(await deployed()).toEqual({
      database: { slots: { arn: secret("slots-UuVvWw") }, administrator: { arn: secret("administrator-PpQqRr") } },
      admin: { secret: { arn: secret("openemr-admin-XxYyZz") } },
      master: {
        secret: { arn: secret("administrator-PpQqRr") },
        cluster: "clinic-a",
        others: [{ arn: secret("administrator-PpQqRr") }],
      },
      smtp: {
        iamUser: "clinic-a-smtp",
        secrets: [{ arn: secret("smtp-BbCcDd") }, { arn: secret("secret-access-key-EeFfGg") }],
        parameter: "/clinic-a/smtp_user",
      },
      whenRotated: [secret("redis-YyZzAa")],
    });
  });

  it("of the master user need a cluster, by its identifier where the host is none", async () => {
    const elsewhere = (cluster?: string) => (first: Written) => {
      const { rotations, database } = first as Record<"rotations" | "database", Written>;
      Object.assign(first, {
        database: { ...database, host: "10.0.0.1" },
        rotations: { ...rotations, master: { cluster } },
      });
    };
    expect((await issuesOf(elsewhere())).map(({ path }) => path)).toContain(
      "installations[0].rotations.master.cluster",
    );
    expect((await deployed(elsewhere("clinic-a-2")))?.master?.cluster).toBe("clinic-a-2");
  });

  it("watch secrets of their own region and account, where the events come", async () => {
    const elsewhere = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:clinic-a/redis-YyZzAa";
    const issues = await issuesOf((first) =>
      Object.assign(first, { rotations: { ...(first.rotations as Written), redeploy: { whenRotated: [elsewhere] } } }),
    );
    expect(issues).toEqual([
      { path: "installations[0].rotations.redeploy.whenRotated[0]", message: expect.stringMatching(/eu-west-1/) },
    ]);
  });

  it.each([
    { what: "slots in a file", change: { database: { slots: "slots.json", administrator: secret("a-AbCdEf") } } },
    { what: "a schedule of a part that is not there", change: { redeploy: {} }, schedule: "rotateAdmin" },
    { what: "a field as a rotated secret", change: { redeploy: { whenRotated: [`${secret("a-AbCdEf")}#password`] } } },
  ])("are refused with $what", async ({ change, schedule }) => {
    const refused = issuesOf((first) =>
      Object.assign(first, {
        rotations: change,
        ...(schedule ? { schedules: { [schedule]: { cron: "0 3 1 * *" } } } : {}),
      }),
    ).then(
      (issues) => issues.map(({ path, message }) => `${path}: ${message}`).join(),
      (error: unknown) => String(error),
    );
    expect(await refused).toMatch(/rotations\./);
  });
});

describe("what is deployed", () => {
  it("gives tasks the same configuration whatever the schedules say, so that a new hour is no new task definition", async () => {
    const configOf = async (schedules: Written) => {
      const deployment = deploymentOf(await aDeployable((first) => Object.assign(first, { schedules })), "prod", place);
      return deployment.installations[0]?.taskConfig;
    };
    const earlier = await configOf({ dump: { cron: "30 4 * * *", deadlineMinutes: 60 } });
    expect(earlier).toContain("clinic-a");
    expect(await configOf({ dump: { cron: "30 5 * * *", timeZone: "Europe/Berlin" } })).toBe(earlier);
    expect(await configOf({})).toBe(earlier);
  });

  it("is every installation in ECS, with what its tasks may know", async () => {
    const { installations, removable, slack } = deploymentOf(await aDeployable(), "prod", place);

    expect(installations.map(({ id, cluster, dumps }) => ({ id, cluster, format: dumps?.format }))).toEqual([
      { id: "clinic-a", cluster: "clinic-a", format: "restic" },
      { id: "clinic-b", cluster: "arn:aws:ecs:eu-central-1:123456789012:cluster/clinic-b", format: "portable" },
    ]);
    expect(removable).toBe(false);
    expect(slack).toEqual({
      kind: "bot",
      secret: { arn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openemr-ops/slack-Qw3rTy" },
      channel: "C0123456789",
    });
  });

  it("gives each task the configuration of its own installation, which it can load, with its state in the place it may write", async () => {
    const [first] = deploymentOf(await aDeployable(), "prod", place).installations;

    const loaded = await loadConfigText(first?.taskConfig ?? "", { from: "task", directory: "/tmp" });
    expect(loaded.installations.map(({ id }) => id)).toEqual(["clinic-a"]);
    expect(loaded.stateDirectory).toBe("/tmp/openemr-ops");
    expect(loaded.notifications).toEqual({});
  });

  it("leaves installations elsewhere out, and says so", async () => {
    const { database, dumps } = anInstallation();
    const host = anInstallation({
      id: "old-server",
      database: { ...database, passwordFile: "env:PASSWORD" },
      dumps: { ...dumps, passwordFile: "env:PASSWORD" },
    });
    const config = await aDeployable((_, { installations }) => {
      (installations as unknown[]).push(host);
    });
    const { installations, notes } = deploymentOf(config, "prod", place);

    expect(installations.map(({ id }) => id)).not.toContain("old-server");
    expect(notes).toEqual(["old-server is left out: its platform is host, and only ecs is deployed"]);
  });

  it("may be removed without a trace when a developer's stage", async () => {
    expect(deploymentOf(await aDeployable(), "dev-x", place).removable).toBe(true);
  });
});

describe("an installation whose store has credentials of its own", () => {
  const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`;
  it.each([
    { destination: "s3://clinic-a", endpoint: "https://s3.example.org", region: undefined },
    { destination: "s3://of-another-account" },
    { destination: "gs://clinic-a", region: undefined },
  ])("is deployed with their secrets and without a bucket for its roles, at $destination", async (dumps) => {
    const config = await aDeployable((installation) => {
      const { region, ...rest } = installation.dumps as Written;
      const credentials = { credentials: arn("store"), retentionCredentials: arn("clearing") };
      installation.dumps = { region, ...rest, ...dumps, ...credentials };
    });
    const [first] = deploymentOf(config, "prod", place).installations;

    expect(first?.dumps).not.toHaveProperty("bucket");
    expect(first?.dumps?.secrets).toMatchObject({ store: { arn: arn("store") }, clearing: { arn: arn("clearing") } });
  });

  it("has one otherwise", async () => {
    const [first] = deploymentOf(await aDeployable(), "prod", place).installations;
    expect(first?.dumps?.bucket).toEqual({ bucket: "clinic-a-dumps", prefix: "openemr", region: "eu-central-1" });
    expect(first?.dumps?.secrets).not.toHaveProperty("store");
  });
});

describe("an installation without dumps", () => {
  it("is deployed without what dumps need", async () => {
    const config = await aDeployable((installation, all) => {
      delete installation.dumps;
      delete installation.schedules;
      all.installations = [installation];
    });
    const { installations } = deploymentOf(config, "prod", place);

    expect(installations).toHaveLength(1);
    expect(installations[0]).not.toHaveProperty("dumps");
  });

  it("needs its own secrets in AWS all the same", async () => {
    const issues = await issuesOf((installation) => {
      delete installation.dumps;
      delete installation.schedules;
      installation.database = { ...(installation.database as Written), password: "env:PASSWORD" };
    });
    expect(issues.map(({ path }) => path)).toEqual(["installations[0].database.password"]);
  });
});

describe("what cannot be deployed is refused by its field", () => {
  it.each<{ what: string; change: (installation: Written, config: Written) => void; path: string; message: RegExp }>([
    {
      what: "no network",
      change: (installation) => {
        installation.platform = without(installation.platform, "network");
      },
      path: "installations[0].platform.network",
      message: /vpcId, subnetIds and securityGroupIds/,
    },
    {
      what: "no file system",
      change: (installation) => {
        installation.sites = without(installation.sites, "fileSystemId", "accessPointId");
      },
      path: "installations[0].sites.fileSystemId",
      message: /EFS file system/,
    },
    {
      what: "a password that only this machine has",
      change: (installation) => {
        installation.database = { ...(installation.database as Written), password: "env:PASSWORD" };
      },
      path: "installations[0].database.password",
      message: /Secrets Manager/,
    },
    {
      what: "a repository's password that only this machine has",
      change: (installation) => {
        installation.dumps = { ...(installation.dumps as Written), password: "env:PASSWORD" };
      },
      path: "installations[0].dumps.password",
      message: /Secrets Manager/,
    },
    {
      what: "a destination that tasks do not reach",
      change: (installation) => {
        installation.dumps = { ...without(installation.dumps, "region"), destination: "file:///srv/backups" };
      },
      path: "installations[0].dumps.destination",
      message: /s3:\/\//,
    },
    {
      what: "a server with the S3 API, and no keys for it",
      change: (installation) => {
        installation.dumps = { ...(installation.dumps as Written), endpoint: "https://s3.example.org" };
      },
      path: "installations[0].dumps.credentials",
      message: /is missing; a task's role opens buckets of AWS alone: .*"accessKeyId"/,
    },
    {
      what: "a bucket of Google without credentials",
      change: (installation) => {
        installation.dumps = { ...without(installation.dumps, "region"), destination: "gs://clinic-a-dumps" };
      },
      path: "installations[0].dumps.credentials",
      message: /is missing; .* external_account/,
    },
    {
      what: "a store's keys that only this machine has",
      change: (installation) => {
        installation.dumps = {
          ...(installation.dumps as Written),
          endpoint: "https://s3.example.org",
          credentials: "env:STORE_KEYS",
        };
      },
      path: "installations[0].dumps.credentials",
      message: /Secrets Manager/,
    },
    {
      what: "a name that leaves no room",
      change: (installation) => {
        installation.id = "a".repeat(33);
      },
      path: "installations[0].id",
      message: /32 characters/,
    },
    {
      what: "a Slack token that only this machine has",
      change: (_, config) => {
        config.notifications = { slack: { webhook: "env:WEBHOOK" } };
      },
      path: "notifications.slack.webhook",
      message: /secret's ARN/,
    },
    {
      what: "nothing in ECS",
      change: (_, config) => {
        for (const one of config.installations as Written[])
          Object.assign(one, { platform: { kind: "kubernetes" }, rotations: undefined, schedules: {} });
      },
      path: "installations",
      message: /platform\.kind ecs/,
    },
  ])("$what", async ({ change, path, message }) => {
    const issues = await issuesOf(change);
    expect(issues.map((issue) => issue.path)).toEqual([path]);
    expect(issues[0]?.message).toMatch(message);
  });

  it("a certificate that the task's container does not have, in any section", async () => {
    await using directory = await aConfigDirectory();
    await writeFile(join(directory.path, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
    const config: { installations: Written[] } = JSON.parse(await readFile(sampleConfigPath, "utf8"));
    const [first] = config.installations;
    if (!first) throw new Error("the sample has installations");
    const { name: _, restore: __, ...server } = first.database as Written;
    const drill = { database: { ...server, tls: "verify", caFile: "ca.pem" } };
    first.dumps = { ...(first.dumps as Written), drill };
    const loaded = await loadConfigText(JSON.stringify(config), { from: "test", directory: directory.path });
    expect(() => deploymentOf(loaded, "prod", place)).toThrow(
      /^installations\[0\]\.dumps\.drill\.database\.caFile: is a relative name; expected .* in the task's container$/,
    );
  });

  it("an authority for health checks, which a function has no file for", async () => {
    await using directory = await aConfigDirectory();
    await writeFile(join(directory.path, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
    const config: { installations: Written[] } = JSON.parse(await readFile(sampleConfigPath, "utf8"));
    const [first] = config.installations;
    if (!first) throw new Error("the sample has installations");
    first.health = { url: "https://openemr.example.org/", caFile: "ca.pem" };
    const loaded = await loadConfigText(JSON.stringify(config), { from: "test", directory: directory.path });
    expect(() => deploymentOf(loaded, "prod", place)).toThrow(
      /^installations\[0\]\.health\.caFile: is a file, .*"required"/,
    );
  });

  it("a bucket of exports that two installations have and one makes", async () => {
    const issues = await issuesOf((first, config) => {
      const [, second] = config.installations as Written[];
      const { pseudonymKey, destination, region } = first.exports as Written;
      const exports = { destination: `${destination}-b`, region, pseudonymKey, createBucket: true };
      config.installations = [first, { ...second, exports }];
    });
    expect(issues).toEqual([
      {
        path: "installations[1].exports.createBucket",
        message: "makes the bucket that installations[0].exports has; make it there alone",
      },
    ]);
  });

  it("jobs of Spark for a bucket in another region, which they do not reach", async () => {
    const issues = await issuesOf((first) => {
      first.exports = { ...(first.exports as Written), createBucket: false, region: "eu-west-1", spark: true };
    });
    expect(issues).toEqual([
      {
        path: "installations[0].exports.spark",
        message:
          "reads a bucket in eu-west-1, and jobs in eu-central-1 reach no other region; expected exports.region eu-central-1",
      },
    ]);
  });

  it.each([
    ["clinic-a.cluster-cabcdefghijk.eu-central-1.rds.amazonaws.com", []],
    ["clinic-a.cluster-ro-cabcdefghijk.eu-central-1.rds.amazonaws.com", []],
    ["clinic-a.cabcdefghijk.eu-central-1.rds.amazonaws.com", [/^is no endpoint of a cluster/]],
    ["reports.cluster-custom-cabcdefghijk.eu-central-1.rds.amazonaws.com", [/^is no endpoint of a cluster/]],
  ])("engine aurora without a cluster's endpoint: %s", async (host, messages) => {
    const issues = await issuesOf((installation) => {
      installation.database = { ...(installation.database as Written), host };
      installation.exports = { ...(installation.exports as Written), database: { engine: "aurora" } };
      // Its master user needs the cluster, too.
      installation.rotations = { ...(installation.rotations as Written), master: undefined };
    });
    expect(issues).toEqual(
      messages.map((message) => ({
        path: "installations[0].database.host",
        message: expect.stringMatching(message),
      })),
    );
  });

  it("so many installations that the functions which know them all have no room for their names", async () => {
    const many = (count: number) => (first: Written, config: Written) => {
      const ids = Array.from({ length: count }, (_, index) => `hospital-of-st-${String(index).padStart(3, "0")}`);
      Object.assign(config, {
        installations: ids.map((id) => ({
          ...first,
          id,
          dumps: undefined,
          exports: undefined,
          rotations: undefined,
          mail: undefined,
          schedules: {},
        })),
      });
    };
    expect(await issuesOf(many(180))).toEqual([]);
    expect(await issuesOf(many(200))).toEqual([
      {
        path: "installations",
        message: expect.stringMatching(/^have identifiers of 3799 characters together, and 3500 fit/),
      },
    ]);
  });

  it("with everything that is wrong at once", async () => {
    const issues = await issuesOf((installation) => {
      installation.platform = without(installation.platform, "network");
      installation.sites = without(installation.sites, "fileSystemId", "accessPointId");
    }, "Prod");
    expect(issues.map(({ path }) => path)).toEqual([
      "stage",
      "installations[0].platform.network",
      "installations[0].sites.fileSystemId",
    ]);
  });

  it.each(["", "dev", "dev-", "dev-a-b", "a-b", "Prod", "1st", "prod_1", "abcdefghijklmnopq"])(
    "the stage %o",
    async (stage) => {
      expect((await issuesOf(() => {}, stage)).map(({ path }) => path)).toEqual(["stage"]);
    },
  );

  it("never with anything but named fields, whatever the stage is called", async () => {
    const config = await aDeployable();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (stage) => {
        try {
          expect(deploymentOf(config, stage, place).names.prefix).toBe(`openemr-ops-${stage}`);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
      }),
    );
  });
});

describe("what another region, account or partition has is refused by its field", () => {
  it.each([
    { wrong: { region: "eu-west-1" }, field: "region", says: /expected eu-central-1$/ },
    { wrong: { bucket: "sagemaker-clinic-a" }, field: "bucket", says: /is the bucket of exports/ },
    {
      wrong: {
        routes: Object.fromEntries(
          Array.from({ length: 60 }, (_, at) => [`p${at}@clinic-a.example.org`, [`somebody-${at}@staff.example.com`]]),
        ),
      },
      field: "routes",
      says: /is longer than the 3072 bytes/,
    },
  ])("mail that the function could not forward, by its $field", async ({ wrong, field, says }) => {
    const issues = await issuesOf((installation) => {
      const { inbound } = installation.mail as { readonly inbound: Written };
      installation.mail = { inbound: { ...inbound, ...wrong } };
    });
    expect(issues).toEqual([{ path: `installations[0].mail.inbound.${field}`, message: expect.stringMatching(says) }]);
  });

  it("mail in a partition where SES receives none", async () => {
    const issues = await issuesOf(
      (installation) => {
        const { inbound } = installation.mail as { readonly inbound: Written };
        installation.mail = { inbound: { ...inbound, region: "cn-north-1" } };
      },
      "prod",
      { region: "cn-north-1", account: "123456789012" },
    );
    expect(issues).toContainEqual({
      path: "installations[0].mail",
      message: "is for regions where SES receives mail; it does not in cn-north-1",
    });
  });

  it("a cluster and a service of another region or account, for a task starts in its own", async () => {
    const moved = { region: "eu-west-1", account: "210987654321" };
    const issues = await issuesOf(
      (installation) => {
        const service = "arn:aws:ecs:eu-west-1:123456789012:service/clinic-a/openemr";
        installation.platform = { ...(installation.platform as Written), service };
        installation.rotations = without(installation.rotations, "redeploy");
        delete installation.mail;
      },
      "prod",
      moved,
    );
    expect(issues).toEqual([
      {
        path: "installations[0].platform.service",
        message: "is in account 123456789012; expected account 210987654321, where the tasks are deployed",
      },
      {
        path: "installations[1].platform.cluster",
        message: "is in region eu-central-1; expected region eu-west-1, where the tasks are deployed",
      },
      {
        path: "installations[0].exports.createBucket",
        message: "makes a bucket in eu-west-1, where the stacks go; expected that exports.region",
      },
    ]);
  });

  it("secrets of another partition, which a role never reads, those of notifications too", async () => {
    const issues = await issuesOf(
      (_, config) => {
        const [first] = config.installations as Written[];
        const dumps = { ...(first?.dumps as Written), region: "us-gov-west-1", copies: [] };
        const exports = { ...(first?.exports as Written), region: "us-gov-west-1" };
        const rotations = without(first?.rotations, "redeploy");
        config.installations = [{ ...first, dumps, exports, rotations, mail: undefined }];
      },
      "prod",
      { region: "us-gov-west-1", account: "123456789012" },
    );
    const message = "is in the partition aws; expected a secret of aws-us-gov, where us-gov-west-1 is";
    expect(issues).toEqual(
      [
        "installations[0].database.password",
        "installations[0].database.restore.password",
        "installations[0].exports.pseudonymKey",
        "installations[0].users.administrator",
        "installations[0].rotations.admin.secret",
        "installations[0].rotations.smtp.secret",
        "installations[0].rotations.smtp.inStep.secretAccessKey",
        "installations[0].rotations.database.slots",
        "installations[0].rotations.database.administrator",
        "installations[0].dumps.password",
        "notifications.slack.botToken",
      ].map((path) => ({ path, message })),
    );
  });

  it.each([
    { copy: { destination: "s3://copies/a", region: "cn-north-1" }, path: "region", says: /partition aws-cn/ },
    { copy: { destination: "file:///srv/copies" }, path: "destination", says: /is not reached by tasks/ },
    { copy: { destination: "gs://copies/a" }, path: "credentials", says: /is missing; a task's role opens/ },
    {
      copy: { destination: "s3://copies/a", endpoint: "https://s3.example.org" },
      path: "credentials",
      says: /accessKeyId/,
    },
    {
      copy: { destination: "s3://copies/a", credentials: "env:KEYS" },
      path: "credentials",
      says: /is not in AWS; tasks read passwords/,
    },
  ])("a copy that a task cannot reach: $copy.destination, $path", async ({ copy, path, says }) => {
    const issues = await issuesOf((installation) => {
      const dumps = installation.dumps as Written;
      installation.dumps = { ...dumps, copies: [...((dumps.copies as Written[]) ?? []), copy] };
    });
    expect(issues).toEqual([
      { path: `installations[0].dumps.copies[1].${path}`, message: expect.stringMatching(says) },
    ]);
  });

  it("a bucket of another partition", async () => {
    const issues = await issuesOf((installation) => {
      installation.dumps = { ...(installation.dumps as Written), region: "cn-north-1" };
    });
    expect(issues).toEqual([
      {
        path: "installations[0].dumps.region",
        message: "is a region of the partition aws-cn; expected one of aws, where eu-central-1 is",
      },
    ]);
  });

  it("and nothing that works: a secret and a bucket in another region of the same partition", async () => {
    const issues = await issuesOf((installation) => {
      installation.dumps = { ...(installation.dumps as Written), region: "eu-west-1" };
      installation.database = {
        ...(installation.database as Written),
        password: "arn:aws:secretsmanager:us-east-1:210987654321:secret:dump-AaBbCc",
      };
    });
    expect(issues).toEqual([]);
  });
});

describe("endpoints in a VPC", () => {
  const withEndpoints = (installation: Written, endpoints: unknown) => {
    const platform = installation.platform as Written;
    installation.platform = { ...platform, network: { ...(platform.network as Written), endpoints } };
  };
  const throughNat = /^installations\[0\]\.rotations\.smtp: no endpoint of the VPC reaches IAM .*such as NAT$/;

  it("are refused a second time, for the VPC's names can point to one interface alone", async () => {
    const issues = await issuesOf((first, config) => {
      const [, second = {}] = config.installations as Written[];
      first.platform = second.platform;
    });
    expect(issues.map(({ path }) => path)).toEqual(["installations[1].platform.network.endpoints.interface"]);
    expect(issues[0]?.message).toMatch(/^are those of installations\[0\], which is in the same VPC; leave them out$/);
  });

  it("in the form before are deployed with a note of what they do to the rest of the VPC", async () => {
    const config = await aDeployable((first) => withEndpoints(first, { routeTableIds: ["rtb-0123456789abcdef0"] }));
    expect(deploymentOf(config, "prod", place).notes).toEqual([
      expect.stringMatching(
        /^installations\[0\]\.platform\.network\.endpoints\.routeTableIds: .*set gateway and interface/,
      ),
      expect.stringMatching(throughNat),
    ]);
  });

  it("are not enough for a rotation of SMTP credentials, which is deployed with a note that IAM is reached otherwise", async () => {
    const notesWith = async (endpoints: object) =>
      deploymentOf(await aDeployable((first) => withEndpoints(first, endpoints)), "prod", place).notes;
    expect(await notesWith({ interface: { vpcCidrs: ["10.0.0.0/16"] } })).toEqual([expect.stringMatching(throughNat)]);
    expect(await notesWith({ gateway: { routeTableIds: ["rtb-0123456789abcdef0"] } })).toEqual([]);
  });
});

describe("who is notified of alarms", () => {
  const slack = { webhook: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-Qw3rTy" };
  it.each([
    { notifications: {}, alarms: { email: [], slack: false } },
    { notifications: { slack }, alarms: { email: [], slack: true } },
    { notifications: { slack, alarms: { slack: false } }, alarms: { email: [], slack: false } },
    { notifications: { alarms: { email: ["a@b.example"] } }, alarms: { email: ["a@b.example"], slack: false } },
  ])("is $alarms for $notifications", async ({ notifications, alarms }) => {
    const config = await aDeployable((_, all) => {
      all.notifications = notifications;
    });
    expect(deploymentOf(config, "prod", place).alarms).toEqual(alarms);
  });
});
