import { type SizedTask, taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import type { Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { DeployedDumps, DeployedInstallation, DeployedSecret } from "./deployment.ts";
import { deleteDumps } from "./policies/deleteDumps.ts";
import { holdRepositoryLocks } from "./policies/holdRepositoryLocks.ts";
import { listJobs } from "./policies/listJobs.ts";
import { lookAtService } from "./policies/lookAtService.ts";
import { mountSites } from "./policies/mountSites.ts";
import { noteVerifications } from "./policies/noteVerifications.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openDumps } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { readSecrets } from "./policies/readSecrets.ts";
import { writeDumps } from "./policies/writeDumps.ts";
import { taskDefinition } from "./taskDefinition.ts";
import type { TaskImage } from "./taskImage.ts";
import { type TaskPlane, takePartIn, taskEnvironment } from "./taskPart.ts";

interface TaskContext extends TaskPlane {
  readonly image: TaskImage;
  readonly log: ILogGroup;
}

/** The four kinds of tasks that work with the dumps of an installation. A check runs as a drill does: both read dumps and write beside them. */
export const installationTasks = (
  stack: Stack,
  installation: DeployedInstallation,
  dumps: DeployedDumps,
  context: TaskContext,
) => {
  const { deployment, plane, image, log } = context;
  const { names, removable } = deployment;
  const { id } = installation;
  const environment = taskEnvironment(stack, deployment, installation);
  const takePart = (...kinds: readonly WorkflowKind[]) => takePartIn(stack, context, id, kinds);
  const { database, restore, drill, repository, seal, store, clearing } = dumps.secrets;
  const given = (...secrets: readonly (DeployedSecret | undefined)[]) =>
    secrets.filter((secret) => secret !== undefined);

  const task = (
    kind: SizedTask,
    settings: {
      readonly grants: readonly (readonly PolicyStatement[])[];
      readonly sites?: "read" | "write";
    },
  ): FargateTaskDefinition =>
    taskDefinition(stack, `${kind[0]?.toUpperCase()}${kind.slice(1)}`, {
      family: `${names.prefix}-${id}-${kind}`,
      size: taskSizeOf(installation.task, kind),
      installation,
      image,
      log,
      environment,
      removable,
      sites: "none",
      ...settings,
    });

  return {
    dump: task("dump", {
      sites: "read",
      grants: [
        ...takePart("dump"),
        listJobs(plane.table, id), // a repository that held dumps and is missing is not a new one
        readSecrets(stack, given(database, repository, seal, store)),
        onBucket(stack, dumps, readDumps, writeDumps, holdRepositoryLocks, openDumps),
        mountSites(stack, installation, { write: false }),
      ],
    }),
    retention: task("retention", {
      grants: [
        ...takePart("dump"),
        readSecrets(stack, given(repository, seal, clearing ?? store)),
        onBucket(stack, dumps, readDumps, writeDumps, deleteDumps, openDumps),
      ],
    }),
    drill: task("drill", {
      grants: [
        ...takePart("drill", "check"),
        readSecrets(stack, given(drill, repository, seal, store)),
        onBucket(stack, dumps, readDumps, holdRepositoryLocks, noteVerifications, openDumps),
      ],
    }),
    restore: task("restore", {
      sites: "write",
      grants: [
        ...takePart("restore"),
        listJobs(plane.table, id),
        readSecrets(stack, given(database, restore, repository, seal, store)), // the dump user takes the safety dump
        onBucket(stack, dumps, readDumps, writeDumps, holdRepositoryLocks, openDumps),
        mountSites(stack, installation, { write: true }),
        lookAtService(stack, installation),
      ],
    }),
  };
};
