import type { Stack } from "aws-cdk-lib";
import type { DeployedExports } from "../deployment.ts";
import { accept } from "./accept.ts";
import {
  answersNotebook,
  anyExecution,
  anyRevision,
  configurationInEnvironment,
  logsAndTraces,
  logsErrorsOnly,
  manifestsOfExports,
  newTasks,
  objectsOfDumps,
  outsideVpc,
  ownRights,
  pullsImage,
  sharedConcurrency,
  tablesOfExports,
  traces,
  unknownKey,
} from "./findings.ts";

/** What is accepted in an installation's stack for its section `exports`. */
export const acceptInExports = (stack: Stack, { catalogue }: Pick<DeployedExports, "catalogue">): void => {
  if (catalogue !== undefined) accept(stack, "ExportDatabaseTaskRole/DefaultPolicy/Resource", tablesOfExports);
  for (const name of ["ExportDatabase", "ExportSites"]) {
    accept(stack, `${name}TaskRole/DefaultPolicy/Resource`, ownRights, objectsOfDumps, unknownKey);
    accept(stack, `${name}TaskStartRole/DefaultPolicy/Resource`, ownRights, pullsImage);
    accept(stack, `${name}Task/Resource`, configurationInEnvironment);
    accept(stack, `${name}/Role/DefaultPolicy/Resource`, ownRights, logsAndTraces, anyRevision, newTasks);
    accept(stack, `${name}/Workflow/Resource`, logsErrorsOnly);
  }
  for (const name of ["EFStoS3Export", "RDStoS3Export"]) {
    accept(stack, `${name}Role/DefaultPolicy/Resource`, ownRights, traces, anyExecution);
    accept(stack, `${name}/Resource`, outsideVpc("Step Functions and DynamoDB"), sharedConcurrency, answersNotebook);
  }
  accept(stack, "ExportStatusRole/DefaultPolicy/Resource", ownRights, traces, manifestsOfExports, unknownKey);
  accept(
    stack,
    "ExportStatus/Resource",
    outsideVpc("Step Functions, DynamoDB and S3"),
    sharedConcurrency,
    answersNotebook,
  );
  accept(stack, "NotebookRole/DefaultPolicy/Resource", ownRights, objectsOfDumps, unknownKey);
};
