import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import {
  answersWorkflow,
  anyRevision,
  configurationInEnvironment,
  listsTasks,
  logsAndTraces,
  logsErrorsOnly,
  manifestsOfExports,
  newTasks,
  objectsOfDumps,
  outsideVpc,
  ownRights,
  pullsImage,
  sharedConcurrency,
  traces,
  unknownKey,
} from "./findings.ts";

/** What is accepted in an installation's stack for its section `dumps`. */
export const acceptInDumps = (stack: Stack): void => {
  accept(stack, "DumpRole/DefaultPolicy/Resource", ownRights, objectsOfDumps, unknownKey);
  accept(stack, "DumpStartRole/DefaultPolicy/Resource", ownRights, pullsImage);
  accept(stack, "Dump/Resource", configurationInEnvironment);
  accept(stack, "RetentionRole/DefaultPolicy/Resource", ownRights, objectsOfDumps, unknownKey);
  accept(stack, "RetentionStartRole/DefaultPolicy/Resource", ownRights, pullsImage);
  accept(stack, "Retention/Resource", configurationInEnvironment);
  accept(stack, "DrillRole/DefaultPolicy/Resource", ownRights, objectsOfDumps, unknownKey);
  accept(stack, "DrillStartRole/DefaultPolicy/Resource", ownRights, pullsImage);
  accept(stack, "Drill/Resource", configurationInEnvironment);
  accept(stack, "ReportRole/DefaultPolicy/Resource", ownRights, objectsOfDumps, manifestsOfExports, unknownKey);
  accept(stack, "ReportStartRole/DefaultPolicy/Resource", ownRights, pullsImage);
  accept(stack, "Report/Resource", configurationInEnvironment);
  accept(stack, "RestoreRole/DefaultPolicy/Resource", ownRights, listsTasks, objectsOfDumps, unknownKey);
  accept(stack, "RestoreStartRole/DefaultPolicy/Resource", ownRights, pullsImage);
  accept(stack, "Restore/Resource", configurationInEnvironment);

  accept(stack, "ConfirmRole/DefaultPolicy/Resource", ownRights, traces, objectsOfDumps, unknownKey);
  accept(stack, "Confirm/Resource", outsideVpc("S3"), sharedConcurrency, answersWorkflow);

  accept(stack, "DumpInstallation/Role/DefaultPolicy/Resource", ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, "DumpInstallation/Workflow/Resource", logsErrorsOnly);
  accept(stack, "RestoreDrill/Role/DefaultPolicy/Resource", ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, "RestoreDrill/Workflow/Resource", logsErrorsOnly);
  accept(stack, "CheckRepository/Role/DefaultPolicy/Resource", ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, "CheckRepository/Workflow/Resource", logsErrorsOnly);
  accept(stack, "ReportInstallation/Role/DefaultPolicy/Resource", ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, "ReportInstallation/Workflow/Resource", logsErrorsOnly);
  accept(stack, "RestoreInstallation/Role/DefaultPolicy/Resource", ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, "RestoreInstallation/Workflow/Resource", logsErrorsOnly);
};
