import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  IAMClient,
  ListAccessKeysCommand,
} from "@aws-sdk/client-iam";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import {
  type SesSmtpProcess,
  type SesSmtpProcessPlan,
  startSesSmtpProcess,
} from "@openemr-ops/local/servers/sesSmtpProcess";
import { sesPassword } from "@openemr-ops/mail/smtp/sesPassword";
import { type AwsServer, startAws } from "./awsServer.ts";
import { tlsOf } from "./database.ts";
import { aMailSite, type MailSite } from "./mailSite.ts";

/** An OpenEMR that sends by SMTP with a key of an IAM user: real database and SMTP server, and moto for AWS. */
export interface MailClinic extends AsyncDisposable {
  readonly directory: string;
  readonly aws: AwsServer;
  readonly smtp: SesSmtpProcess;
  readonly site: MailSite;
  readonly user: string;
  /** ARNs of the secrets of password and key. */
  readonly secret: string;
  readonly keySecret: string;
  /** As the configuration has it. */
  readonly rotation: { readonly secret: string; readonly server: object };
  /** Writes the configuration, changed. */
  configure(change?: (installation: Installation) => object): Promise<void>;
  /** A first key of the user, which OpenEMR has: nothing of a former rotation is left. @returns its identifier */
  reset(): Promise<string>;
  keys(): Promise<Readonly<Record<string, boolean>>>;
  /** The login that OpenEMR's database contains. */
  login(): Promise<{ readonly user: string; readonly password: string }>;
  /** Current and pending text of a secret. */
  texts(arn: string): Promise<readonly (readonly [stage: string, text: string])[]>;
  put(arn: string, text: string): Promise<void>;
  parameter(): Promise<string | undefined>;
  /** Contents of files below the directory, by name. */
  files(): Promise<ReadonlyMap<string, string>>;
}

interface Installation {
  readonly rotations: { readonly smtp: Readonly<Record<string, unknown>> };
  readonly [name: string]: unknown;
}

const region = "eu-central-1";
const parameterName = "smtp_user";

export const aMailClinic = async (
  options: Pick<SesSmtpProcessPlan, "appearsAfterMs" | "vanishesAfterMs" | "machines"> = {},
): Promise<MailClinic> => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-mail-"));
  const aws = await startAws();
  const [iam, secrets, ssm] = [new IAMClient(), new SecretsManagerClient(), new SSMClient()];
  const site = await aMailSite();
  let count = 0;
  const user = "ses-smtp-user";
  await iam.send(new CreateUserCommand({ UserName: user }));
  await mkdir(join(directory, "smtp"));
  const smtp = await startSesSmtpProcess({
    directory: join(directory, "smtp"),
    region,
    url: aws.url,
    user,
    ...options,
  });

  const aSecret = async (name: string, text?: string) => {
    const created = new CreateSecretCommand({
      Name: `${name}-${++count}`,
      ...(text === undefined ? {} : { SecretString: text }),
    });
    return (await secrets.send(created)).ARN ?? "";
  };
  let [secret, keySecret] = ["", ""];
  const server = { host: "127.0.0.1", port: smtp.startTlsPort, tls: "starttls", caFile: "smtp/ca.pem" };
  const rotation = () => ({
    iamUser: user,
    secret,
    region,
    server,
    testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
    inStep: { secretAccessKey: keySecret, userParameter: parameterName },
    settleSeconds: 1, // nothing sends meanwhile
  });
  await writeFile(join(directory, "database.password"), site.schema.restoreUser.password, { mode: 0o600 });
  const written = (): Installation => ({
    id: "clinic-a",
    platform: { kind: "host" },
    database: {
      host: site.schema.host,
      port: site.schema.port,
      name: site.schema.name,
      user: site.schema.restoreUser.user,
      passwordFile: "database.password",
      ...tlsOf(site.schema),
    },
    sites: { path: site.sitesPath },
    rotations: { smtp: rotation() },
  });
  const listed = async () => (await iam.send(new ListAccessKeysCommand({ UserName: user }))).AccessKeyMetadata ?? [];

  const clinic: MailClinic = {
    directory,
    aws,
    smtp,
    site,
    user,
    get secret() {
      return secret;
    },
    get keySecret() {
      return keySecret;
    },
    get rotation() {
      return rotation();
    },
    configure: (change = (one) => one) =>
      writeFile(join(directory, "c.json"), JSON.stringify({ installations: [change(written())] })),
    reset: async () => {
      for (const { AccessKeyId } of await listed()) {
        await iam.send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId }));
      }
      await site.reset();
      const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: user }));
      const made = { id: key?.AccessKeyId ?? "", secret: key?.SecretAccessKey ?? "" };
      await site.setting("SMTP_USER", made.id);
      await site.setting("SMTP_PASS", site.seal(sesPassword(made, region)));
      secret = await aSecret("smtp-secret");
      keySecret = await aSecret("secret-access-key", JSON.stringify({ password: made.secret }));
      await rm(join(directory, ".openemr-ops"), { recursive: true, force: true });
      await clinic.configure();
      return made.id;
    },
    keys: async () =>
      Object.fromEntries((await listed()).map(({ AccessKeyId = "", Status }) => [AccessKeyId, Status === "Active"])),
    login: async () => {
      const { user: as, password } = await site.settings.read();
      return { user: as, password };
    },
    texts: async (arn) => {
      const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
      const found: [string, string][] = [];
      for (const [VersionId, stages] of Object.entries(VersionIdsToStages))
        for (const VersionStage of stages) {
          const { SecretString = "" } = await secrets.send(
            new GetSecretValueCommand({ SecretId: arn, VersionId, VersionStage }),
          );
          found.push([VersionStage, SecretString]);
        }
      return found;
    },
    put: async (arn, text) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: text }));
    },
    parameter: async () =>
      (await ssm.send(new GetParameterCommand({ Name: parameterName })).catch(() => undefined))?.Parameter?.Value,
    files: async () => {
      const found = new Map<string, string>();
      for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile()) found.set(path.slice(directory.length + 1), await readFile(path, "latin1"));
      }
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await smtp.stop();
      await site.remove();
      await aws[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return clinic;
};
