import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import {
  answersWorkflow,
  anyRevision,
  configurationInEnvironment,
  logsAndTraces,
  logsErrorsOnly,
  newTasks,
  objectsOfDumps,
  outsideVpc,
  ownRights,
  pullsImage,
  sharedConcurrency,
  traces,
  unknownKey,
} from "./findings.ts";

/** What is accepted in an installation's stack for copies of its dumps. */
export const acceptInCopies = (stack: Stack): void => {
  for (const task of ["Copy", "CopyRetention"]) {
    accept(stack, `${task}Role/DefaultPolicy/Resource`, ownRights, objectsOfDumps, unknownKey);
    accept(stack, `${task}StartRole/DefaultPolicy/Resource`, ownRights, pullsImage);
    accept(stack, `${task}/Resource`, configurationInEnvironment);
  }
  accept(stack, "ConfirmCopyRole/DefaultPolicy/Resource", ownRights, traces, objectsOfDumps, unknownKey);
  accept(stack, "ConfirmCopy/Resource", outsideVpc("S3"), sharedConcurrency, answersWorkflow);
  accept(stack, "CopyDumps/Role/DefaultPolicy/Resource", ownRights, logsAndTraces, anyRevision, newTasks);
  accept(stack, "CopyDumps/Workflow/Resource", logsErrorsOnly);
};
