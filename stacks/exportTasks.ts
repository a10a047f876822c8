import { taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import type { Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { dataSyncParts } from "./dataSyncParts.ts";
import type { DeployedExports, DeployedInstallation } from "./deployment.ts";
import type { TaskResourcesContext } from "./InstallationStack.ts";
import { deleteDumps } from "./policies/deleteDumps.ts";
import { listDumps } from "./policies/listDumps.ts";
import { mountSites } from "./policies/mountSites.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openDumps } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { readSecrets } from "./policies/readSecrets.ts";
import { registerInCatalogue } from "./policies/registerInCatalogue.ts";
import { writeDumps } from "./policies/writeDumps.ts";
import { taskDefinition } from "./taskDefinition.ts";
import { takePartIn, taskEnvironment } from "./taskPart.ts";

/** One half of where exports are kept, or what jobs of Spark made of them. */
export const halfOf = (half: "database" | "sites" | "spark", { bucket }: Pick<DeployedExports, "bucket">) =>
  bucket ? { bucket: { ...bucket, prefix: [bucket.prefix, half].filter(Boolean).join("/") } } : {};

/** Each look at a file waits for the file system's network; Node has four under way at once when nothing else is said. */
const looks = { UV_THREADPOOL_SIZE: "32" };

/** Two tasks: one sees the database and no file, the other the files and no database. Each writes its own half alone. */
export const exportTasks = (
  stack: Stack,
  installation: DeployedInstallation,
  exports: DeployedExports,
  { deployment, plane, image, log }: Omit<TaskResourcesContext, "cluster">,
) => {
  const { names, removable } = deployment;
  const { id } = installation;
  const { database, pseudonymKey, store } = exports.secrets;
  const task = (
    kind: "exportDatabase" | "exportSites",
    name: string,
    sites: "none" | "read",
    grants: readonly (readonly PolicyStatement[])[],
    environment: Readonly<Record<string, string>> = {},
  ): FargateTaskDefinition =>
    taskDefinition(stack, `${kind[0]?.toUpperCase()}${kind.slice(1)}Task`, {
      family: `${names.prefix}-${id}-${name}`,
      size: taskSizeOf(installation.task, kind),
      installation,
      image,
      log,
      environment: { ...taskEnvironment(stack, deployment, installation), ...environment },
      removable,
      sites,
      grants: [...takePartIn(stack, { deployment, plane }, id, [kind]), ...grants],
    });
  const { dataSyncTask } = exports;
  const dataSync = dataSyncTask === undefined ? undefined : dataSyncParts(stack, exports, dataSyncTask);
  return {
    database: task("exportDatabase", "export-database", "none", [
      readSecrets(stack, [database, ...(pseudonymKey ? [pseudonymKey] : []), ...(store ? [store] : [])]),
      onBucket(stack, halfOf("database", exports), listDumps, writeDumps, openDumps),
      ...(exports.catalogue === undefined ? [] : [registerInCatalogue(stack, exports.catalogue)]),
    ]),
    // It takes back what may no longer leave, and parts of inventories that a newer one replaces.
    sites: task(
      "exportSites",
      "export-sites",
      "read",
      [
        readSecrets(stack, store ? [store] : []),
        onBucket(stack, halfOf("sites", exports), readDumps, writeDumps, deleteDumps, openDumps),
        mountSites(stack, installation, { write: false }),
        dataSync?.grants ?? [],
      ],
      { ...looks, ...dataSync?.environment },
    ),
  };
};
