import { type LoadedConfig, loadConfigText } from "@openemr-ops/core/config/load";
import type { ConfigFile } from "@openemr-ops/core/config/schema";

export const deployedAccount = "123456789012";
export const deployedRegion = "eu-central-1";
export const deployedStage = "dev-local";

/** A secret's ARN in the account of the tests. Its last six characters are what Secrets Manager adds to a name. */
export const secretArn = (name: string): string =>
  `arn:aws:secretsmanager:${deployedRegion}:${deployedAccount}:secret:${name}-AbCdEf`;

const network = {
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  securityGroupIds: ["sg-0123456789abcdef0"],
};

/** An installation in ECS, its sites on EFS, its dumps in S3, its passwords in Secrets Manager. */
export const aDeployedInstallation = (id: string, hour: number): ConfigFile["installations"][number] => ({
  id,
  platform: { kind: "ecs", cluster: `${id}-cluster`, service: `${id}-service`, network },
  url: `https://${id}.example.org`,
  database: {
    host: `${id}.db.example.org`,
    port: 3306,
    name: "openemr",
    user: "dump",
    password: `${secretArn(`${id}/dump`)}#password`,
    tls: "required",
    restore: { user: "restore", password: secretArn(`${id}/restore`) },
  },
  sites: { path: "/mnt/sites", fileSystemId: "fs-0123456789abcdef0", accessPointId: "fsap-0123456789abcdef0" },
  dumps: {
    format: "restic",
    destination: `s3://dumps-of-clinics/${id}`,
    region: deployedRegion,
    password: secretArn(`${id}/repository`),
    retention: { keepDaily: 7, keepWeekly: 5, keepMonthly: 12, keepYearly: 7 },
  },
  schedules: {
    dump: { cron: `30 ${hour} * * *`, timeZone: "Europe/Berlin", deadlineMinutes: 240 },
    drill: { cron: `30 ${hour + 2} * * 0` },
    check: { cron: `30 ${hour + 4} * * 6`, level: "read-data" },
  },
});

/** What the tests of stacks and of the local cloud deploy: two clinics in one account, told of in one channel. */
export const aDeployedConfig = (): ConfigFile => ({
  notifications: { slack: { botToken: secretArn("openemr-ops/slack"), channel: "C0123456789" } },
  installations: [aDeployedInstallation("clinic-a", 2), aDeployedInstallation("clinic-b", 3)],
});

export const loadDeployedConfig = (config: ConfigFile = aDeployedConfig()): Promise<LoadedConfig> =>
  loadConfigText(JSON.stringify(config), { from: "test", directory: "/", environment: {} });
