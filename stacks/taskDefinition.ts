import type { taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import type { Stack } from "aws-cdk-lib";
import { CfnDeletionPolicy, CfnResource, Duration } from "aws-cdk-lib";
import {
  Capability,
  CpuArchitecture,
  FargateTaskDefinition,
  LinuxParameters,
  LogDriver,
  OperatingSystemFamily,
} from "aws-cdk-lib/aws-ecs";
import { type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { type DeployedInstallation, taskDirectory } from "./deployment.ts";
import type { TaskImage } from "./taskImage.ts";

/** The container that reports to the workflow's token. */
export const containerName = "task";

export interface TaskSettings {
  readonly family: string;
  readonly installation: DeployedInstallation;
  readonly image: TaskImage;
  readonly log: ILogGroup;
  readonly environment: Readonly<Record<string, string>>;
  /** All rights of the program. */
  readonly grants: readonly (readonly PolicyStatement[])[];
  /** Whether it mounts the sites directory. A task that writes there runs as root, because it sets owners. */
  readonly sites: "none" | "read" | "write";
  /** Units, MiB, and GiB of space in `/tmp`. */
  readonly size: ReturnType<typeof taskSizeOf>;
  /** Whether its earlier revisions go when a new one is deployed: a job that runs then could not start them any more. */
  readonly removable: boolean;
}

/** A Fargate task for one kind of job of one installation, with its own role and a read-only root. */
export const taskDefinition = (stack: Stack, id: string, settings: TaskSettings): FargateTaskDefinition => {
  const { installation, sites, size } = settings;
  const architecture = installation.task?.architecture ?? "ARM64";
  const { fileSystemId, accessPointId, path } = installation.sites;
  const tasks = new ServicePrincipal("ecs-tasks.amazonaws.com", {
    conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
  });
  const taskRole = new Role(stack, `${id}Role`, { assumedBy: tasks });
  for (const statement of settings.grants.flat()) taskRole.addToPolicy(statement);
  const startRole = new Role(stack, `${id}StartRole`, { assumedBy: tasks });
  for (const statement of settings.image.grants(stack)) startRole.addToPolicy(statement);
  const task = new FargateTaskDefinition(stack, id, {
    family: settings.family,
    cpu: size.cpu,
    memoryLimitMiB: size.memory,
    ephemeralStorageGiB: size.diskGiB,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.of(architecture),
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    taskRole,
    executionRole: startRole,
    volumes: [
      { name: "scratch" },
      ...(sites === "none"
        ? []
        : [
            {
              name: "sites",
              efsVolumeConfiguration: {
                fileSystemId,
                transitEncryption: "ENABLED",
                authorizationConfig: { iam: "ENABLED", ...(accessPointId === undefined ? {} : { accessPointId }) },
              },
            },
          ]),
    ],
  });
  const { defaultChild } = task.node;
  if (!settings.removable && CfnResource.isCfnResource(defaultChild)) {
    defaultChild.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    defaultChild.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
  }
  const container = task.addContainer(containerName, {
    containerName,
    image: settings.image.image(architecture),
    essential: true,
    readonlyRootFilesystem: true,
    stopTimeout: Duration.seconds(120),
    // restic tidies its memory up before it takes more than half; the rest is for the database's programs and ours.
    environment: { ...settings.environment, GOMEMLIMIT: `${Math.floor(size.memory / 2)}MiB` },
    logging: LogDriver.awsLogs({ logGroup: settings.log, streamPrefix: id }),
    ...(sites === "write" ? { user: "0" } : {}),
    linuxParameters: rights(stack, id, sites === "write" ? needlessForOwners : [Capability.ALL]),
  });
  container.addMountPoints({ sourceVolume: "scratch", containerPath: taskDirectory, readOnly: false });
  if (sites !== "none")
    container.addMountPoints({ sourceVolume: "sites", containerPath: path, readOnly: sites === "read" });
  return task;
};

/** Dropped capabilities: all for an ordinary user; for root all that it does not need to set owners and modes. */
const rights = (stack: Stack, id: string, dropped: readonly Capability[]): LinuxParameters => {
  const parameters = new LinuxParameters(stack, `${id}Linux`);
  parameters.dropCapabilities(...dropped);
  return parameters;
};

/** All capabilities that Fargate grants, except CHOWN, DAC_OVERRIDE and FOWNER. */
const needlessForOwners = [
  Capability.AUDIT_WRITE,
  Capability.FSETID,
  Capability.KILL,
  Capability.MKNOD,
  Capability.NET_BIND_SERVICE,
  Capability.NET_RAW,
  Capability.SETFCAP,
  Capability.SETGID,
  Capability.SETPCAP,
  Capability.SETUID,
  Capability.SYS_CHROOT,
];
