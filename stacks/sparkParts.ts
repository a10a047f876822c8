import type { Stack } from "aws-cdk-lib";
import { CfnApplication } from "aws-cdk-lib/aws-emrserverless";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { accept } from "./accepted/accept.ts";
import { jobsOfSpark, objectsOfDumps, ownRights, tablesOfExports, unknownKey } from "./accepted/findings.ts";
import type { DeployedExports } from "./deployment.ts";
import { halfOf } from "./exportTasks.ts";
import { deleteDumps } from "./policies/deleteDumps.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openDumps, openToRead } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { readCatalogue, runSpark } from "./policies/runSpark.ts";
import { writeDumps } from "./policies/writeDumps.ts";

/**
 * An application of EMR Serverless without capacity of its own: it starts with a job, stops after it, and costs nothing
 * between. It is in no VPC, so its jobs reach S3 and Glue of their region and no other network.
 */
const application = (stack: Stack, name: string, { bucket }: Pick<DeployedExports, "bucket">): CfnApplication =>
  new CfnApplication(stack, "SparkApplication", {
    name,
    type: "Spark",
    releaseLabel: "emr-7.12.0",
    architecture: "ARM64",
    autoStartConfiguration: { enabled: true },
    autoStopConfiguration: { enabled: true, idleTimeoutMinutes: 15 },
    // As many as a new account may use at once; one job cannot cost more.
    maximumCapacity: { cpu: "16 vCPU", memory: "128 GB", disk: "400 GB" },
    // A job may print rows of patients: its logs stay where the exports are, under their key, and AWS keeps no copy.
    monitoringConfiguration: {
      managedPersistenceMonitoringConfiguration: { enabled: false },
      s3MonitoringConfiguration: {
        logUri: `s3://${[bucket?.bucket, bucket?.prefix, "spark/logs/"].filter(Boolean).join("/")}`,
      },
    },
  });

/**
 * What reads exports with Spark: the application, and the role of its jobs, which read every export of the installation
 * and write below `spark/` alone.
 *
 * @param catalogue the name of the database of Glue
 */
export const sparkParts = (stack: Stack, name: string, exports: DeployedExports, catalogue: string) => {
  const spark = application(stack, name, exports);
  const role = new Role(stack, "SparkJobRole", {
    assumedBy: new ServicePrincipal("emr-serverless.amazonaws.com", {
      conditions: {
        StringEquals: { "aws:SourceAccount": stack.account },
        ArnLike: { "aws:SourceArn": spark.attrArn },
      },
    }),
  });
  const grants = [
    onBucket(stack, exports, readDumps, openToRead),
    onBucket(stack, halfOf("spark", exports), writeDumps, deleteDumps, openDumps),
    readCatalogue(stack, catalogue),
  ];
  for (const statement of grants.flat()) role.addToPolicy(statement);
  accept(stack, "SparkJobRole/DefaultPolicy/Resource", ownRights, objectsOfDumps, unknownKey, tablesOfExports);
  accept(stack, "NotebookRole/DefaultPolicy/Resource", jobsOfSpark);
  return {
    startJobs: runSpark(spark, role),
    outputs: { SparkApplicationId: spark.attrApplicationId, SparkJobRoleArn: role.roleArn },
  };
};
