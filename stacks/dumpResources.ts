import { type WorkflowKind, workflowNames } from "@openemr-ops/core/names";
import { Duration, type Stack } from "aws-cdk-lib";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { alarm, quarter } from "./alarm.ts";
import type { DeployedDumps, DeployedInstallation } from "./deployment.ts";
import type { InstallationContext, SectionResources } from "./InstallationStack.ts";
import { installationTasks } from "./installationTasks.ts";
import { opsFunction } from "./opsFunction.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { openDumps } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { runTask } from "./policies/runTask.ts";
import { checkWorkflow } from "./workflows/checkWorkflow.ts";
import { drillWorkflow } from "./workflows/drillWorkflow.ts";
import { dumpWorkflow } from "./workflows/dumpWorkflow.ts";
import { restoreWorkflow } from "./workflows/restoreWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";

interface DumpResourcesContext extends Omit<InstallationContext, "since"> {
  /** ARN of the cluster that the tasks run in. */
  readonly cluster: string;
  readonly log: ILogGroup;
}

/** Longer than all steps with their retries: only a workflow that hangs meets it. */
const longestRun = Duration.days(9);

/** What the section `dumps` of an installation needs: its tasks, the look at the destination, its four workflows. */
export const dumpResources = (
  stack: Stack,
  installation: DeployedInstallation,
  dumps: DeployedDumps,
  { deployment, plane, image, cluster, log }: DumpResourcesContext,
): SectionResources => {
  const { names, removable, stage } = deployment;
  const { id, network } = installation;
  const tasks = installationTasks(stack, installation, dumps, { deployment, plane, image, log });
  const confirm = opsFunction(stack, "Confirm", {
    handler: "functions/job/confirm.handler",
    description: `Looks at the destination of ${id} itself: is the dump there, whole?`,
    grants: [readDumps(stack, dumps), openDumps(stack, dumps, { write: false })],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_FORMAT: dumps.format,
      OPENEMR_OPS_DESTINATION: JSON.stringify(dumps.destination),
    },
    key: plane.key,
    removable,
    timeoutSeconds: 900,
    memoryMiB: 1024,
  });

  const { begin, finish, fail } = plane;
  const machine = (
    kind: WorkflowKind,
    runs: readonly (typeof tasks)[keyof typeof tasks][],
    define: (scope: Construct, workflow: Parameters<typeof checkWorkflow>[1]) => ReturnType<typeof checkWorkflow>,
    ...functions: readonly (typeof confirm)[]
  ) => {
    const scope = new Construct(stack, workflowNames[kind]);
    const { partition } = stack;
    const made = stateMachine(scope, {
      name: names.stateMachine(id, kind),
      definition: define(scope, { kind, installation: id, begin, finish, fail, cluster, network, partition }),
      timeout: longestRun,
      log: plane.workflowLog,
      grants: [
        invokeFunctions(begin, finish, fail, ...functions),
        ...runs.map((task) => runTask(stack, cluster, task)),
      ],
    });
    return made;
  };
  const { dump, retention, drill, restore } = tasks;
  const stateMachines = [
    machine(
      "dump",
      [dump, retention],
      (scope, workflow) =>
        dumpWorkflow(scope, workflow, { take: dump.taskDefinitionArn, confirm, clear: retention.taskDefinitionArn }),
      confirm,
    ),
    machine("drill", [drill], (scope, workflow) => drillWorkflow(scope, workflow, drill.taskDefinitionArn)),
    machine("check", [drill], (scope, workflow) => checkWorkflow(scope, workflow, drill.taskDefinitionArn)),
    machine("restore", [restore], (scope, workflow) => restoreWorkflow(scope, workflow, restore.taskDefinitionArn)),
  ];
  alarm(stack, "ConfirmErrors", plane.alarms, {
    metric: confirm.metricErrors(quarter),
    description: `A dump of ${id} is not confirmed (runbook: job-failed)`,
  });
  return { functions: [confirm], stateMachines };
};
