import { type SizedTask, taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import type { Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { DeployedDumps, DeployedInstallation, DeployedSecret } from "./deployment.ts";
import { halfOf } from "./exportTasks.ts";
import { deleteDumps } from "./policies/deleteDumps.ts";
import { holdRepositoryLocks } from "./policies/holdRepositoryLocks.ts";
import { listDumps } from "./policies/listDumps.ts";
import { listJobs } from "./policies/listJobs.ts";
import { lookAtService } from "./policies/lookAtService.ts";
import { mountSites } from "./policies/mountSites.ts";
import { noteVerifications } from "./policies/noteVerifications.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openDumps, openToRead } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { readManifests } from "./policies/readManifests.ts";
import { readSeals } from "./policies/readSeals.ts";
import { readSecrets } from "./policies/readSecrets.ts";
import { writeDumps } from "./policies/writeDumps.ts";
import { writeReports } from "./policies/writeReports.ts";
import { taskDefinition } from "./taskDefinition.ts";
import type { TaskImage } from "./taskImage.ts";
import { type TaskPlane, takePartIn, taskEnvironment } from "./taskPart.ts";

interface TaskContext extends TaskPlane {
  readonly image: TaskImage;
  readonly log: ILogGroup;
}

/**
 * The kinds of tasks that work with the dumps of an installation, those for copies only where there are some. A check runs as a
 * drill does: both read dumps and write beside them. A report has the size of retention, for both decide from a list of dumps.
 */
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
  const { copies } = dumps;
  /** What opens the copies for whoever may have to read dumps there. */
  const copySecrets = copies.flatMap(({ secrets }) => [secrets.repository, secrets.store]);
  const onCopies = (
    ...grants: Parameters<typeof onBucket> extends [unknown, unknown, ...infer Grants] ? Grants : never
  ) => copies.flatMap((copy) => onBucket(stack, copy, ...grants));
  const given = (...secrets: readonly (DeployedSecret | undefined)[]) =>
    secrets.filter((secret) => secret !== undefined);

  const task = (
    kind: SizedTask,
    settings: {
      readonly grants: readonly (readonly PolicyStatement[])[];
      readonly sites?: "read" | "write";
      /** Not set: that of the kind. */
      readonly name?: string;
      /** Variables besides those of every task, or in their place. */
      readonly variables?: Readonly<Record<string, string>>;
    },
  ): FargateTaskDefinition => {
    const { name = `${kind[0]?.toUpperCase()}${kind.slice(1)}`, variables, ...rest } = settings;
    return taskDefinition(stack, name, {
      family: `${names.prefix}-${id}-${name.replace(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase()}`,
      size: taskSizeOf(installation.task, kind),
      installation,
      image,
      log,
      environment: { ...environment, ...variables },
      removable,
      sites: "none",
      ...rest,
    });
  };

  const copyTasks = () => ({
    /** It reads the first store and writes at the copies. */
    copy: task("copy", {
      grants: [
        ...takePart("copy"),
        listJobs(plane.table, id), // as for a dump
        readSecrets(stack, given(repository, seal, store, ...copySecrets)),
        onBucket(stack, dumps, readDumps, openToRead),
        onCopies(readDumps, writeDumps, holdRepositoryLocks, openDumps),
      ],
    }),
    clearCopy: task("retention", {
      name: "CopyRetention",
      grants: [
        ...takePart("copy"),
        readSecrets(
          stack,
          given(seal, ...copies.flatMap(({ secrets }) => [secrets.repository, secrets.clearing ?? secrets.store])),
        ),
        onCopies(readDumps, writeDumps, deleteDumps, openDumps),
      ],
    }),
  });

  const { exports } = installation;
  /** Which exports there are, and what they say of themselves: no row and no file. */
  const lookAtExports = exports
    ? [
        onBucket(stack, halfOf("database", exports), listDumps, readManifests, openToRead),
        onBucket(stack, halfOf("sites", exports), readSeals, openToRead),
      ]
    : [];

  return {
    ...(copies.length > 0 ? { copies: copyTasks() } : {}),
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
        readSecrets(stack, given(drill, repository, seal, store, ...copySecrets)),
        onBucket(stack, dumps, readDumps, holdRepositoryLocks, noteVerifications, openDumps),
        onCopies(readDumps, holdRepositoryLocks, noteVerifications, openDumps),
      ],
    }),
    report: task("retention", {
      name: "Report",
      variables: { OPENEMR_OPS_CONFIG_JSON: installation.reportConfig },
      grants: [
        ...takePart("report"),
        listJobs(plane.table, id),
        readSecrets(stack, given(repository, seal, store, ...copySecrets, exports?.secrets.store)),
        onBucket(stack, dumps, readDumps, writeReports, openDumps),
        onCopies(readDumps, openToRead),
        ...lookAtExports,
      ],
    }),
    restore: task("restore", {
      sites: "write",
      grants: [
        ...takePart("restore"),
        listJobs(plane.table, id),
        readSecrets(stack, given(database, restore, repository, seal, store, ...copySecrets)), // the dump user takes the safety dump
        onBucket(stack, dumps, readDumps, writeDumps, holdRepositoryLocks, openDumps),
        onCopies(readDumps, writeDumps, holdRepositoryLocks, openDumps),
        mountSites(stack, installation, { write: true }),
        lookAtService(stack, installation),
      ],
    }),
  };
};
