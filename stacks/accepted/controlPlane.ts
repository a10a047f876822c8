import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import {
  answersWorkflow,
  anyInstallation,
  outsideVpc,
  ownRights,
  recordsOutsideBackupPlan,
  sharedConcurrency,
  traces,
} from "./findings.ts";

/** What is accepted in the control plane's stack. */
export const acceptInControlPlane = (stack: Stack): void => {
  accept(stack, "Jobs/Resource", recordsOutsideBackupPlan);

  accept(stack, "BeginRole/DefaultPolicy/Resource", ownRights, traces);
  accept(stack, "Begin/Resource", outsideVpc("DynamoDB and EventBridge"), sharedConcurrency, answersWorkflow);
  accept(stack, "FinishRole/DefaultPolicy/Resource", ownRights, traces);
  accept(stack, "Finish/Resource", outsideVpc("DynamoDB and EventBridge"), sharedConcurrency, answersWorkflow);
  accept(stack, "FailRole/DefaultPolicy/Resource", ownRights, traces);
  accept(stack, "Fail/Resource", outsideVpc("DynamoDB and EventBridge"), sharedConcurrency, answersWorkflow);
  accept(stack, "ExecutionEndedRole/DefaultPolicy/Resource", ownRights, traces);
  accept(stack, "ExecutionEnded/Resource", outsideVpc("DynamoDB and EventBridge"), sharedConcurrency);
  accept(stack, "TaskStoppedRole/DefaultPolicy/Resource", ownRights, traces, anyInstallation);
  accept(stack, "TaskStopped/Resource", outsideVpc("Step Functions"), sharedConcurrency);
  accept(stack, "StartRole/DefaultPolicy/Resource", ownRights, traces, anyInstallation);
  accept(stack, "Start/Resource", outsideVpc("Step Functions"), sharedConcurrency);
  accept(stack, "FindOverdueRole/DefaultPolicy/Resource", ownRights, traces);
  accept(stack, "FindOverdue/Resource", outsideVpc("DynamoDB and EventBridge"), sharedConcurrency);
};
