import { jobKinds, type WorkflowOfSection, workflowsOfSection } from "@openemr-ops/events/jobKinds";
import { Duration, type Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import { acceptInDumps } from "./accepted/dumps.ts";
import { alarm, quarter } from "./alarm.ts";
import { copyParts } from "./copyParts.ts";
import type { DeployedDumps, DeployedInstallation } from "./deployment.ts";
import type { SectionResources, TaskResourcesContext } from "./InstallationStack.ts";
import { installationTasks } from "./installationTasks.ts";
import { opsFunction } from "./opsFunction.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { onBucket } from "./policies/onBucket.ts";
import { openToRead } from "./policies/openDumps.ts";
import { readDumps } from "./policies/readDumps.ts";
import { readStoreSecret } from "./policies/readSecrets.ts";
import { runTask } from "./policies/runTask.ts";
import { startWorkflows } from "./policies/startWorkflows.ts";
import { storeEnvironment } from "./storeEnvironment.ts";
import { workflowArn } from "./workflowArn.ts";
import { checkWorkflow } from "./workflows/checkWorkflow.ts";
import { drillWorkflow } from "./workflows/drillWorkflow.ts";
import { dumpWorkflow } from "./workflows/dumpWorkflow.ts";
import { reportWorkflow } from "./workflows/reportWorkflow.ts";
import { restoreWorkflow } from "./workflows/restoreWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";
import type { Workflow } from "./workflows/steps.ts";

/** One workflow: what it runs, and its states. */
export interface DefinedWorkflow {
  readonly tasks: readonly FargateTaskDefinition[];
  /** Beside those of every workflow. */
  readonly functions?: readonly IFunction[];
  /** ARNs of workflows that it starts. */
  readonly starts?: readonly string[];
  readonly define: (scope: Construct, workflow: Workflow) => IChainable;
}

/** Longer than all steps with their retries: only a workflow that hangs meets it. */
const longestRun = Duration.days(9);

/** What the section `dumps` of an installation needs: its tasks, the look at the destination, its workflows. */
export const dumpResources = (
  stack: Stack,
  installation: DeployedInstallation,
  dumps: DeployedDumps,
  { deployment, plane, image, cluster, log }: TaskResourcesContext,
): SectionResources => {
  const { names, removable, stage } = deployment;
  const { id, network } = installation;
  const tasks = installationTasks(stack, installation, dumps, { deployment, plane, image, log });
  const confirm = opsFunction(stack, "Confirm", {
    handler: "functions/job/confirm.handler",
    description: `Looks at the destination of ${id} itself: is the dump there, whole?`,
    grants: [onBucket(stack, dumps, readDumps, openToRead), readStoreSecret(stack, dumps)],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_FORMAT: dumps.format,
      ...storeEnvironment(dumps),
    },
    key: plane.key,
    removable,
    timeoutSeconds: 900,
    memoryMiB: 1024,
  });

  const { begin, finish, fail } = plane;
  const containers = { cluster, network, partition: stack.partition };
  const { dump, retention, drill, restore, report } = tasks;
  const copyDumps = workflowArn(stack, names, id, "copy");
  const { copies } = dumps;
  const workflows: Readonly<Record<Exclude<WorkflowOfSection<"dumps">, "copy">, DefinedWorkflow>> & {
    readonly copy?: DefinedWorkflow;
  } = {
    ...(tasks.copies
      ? { copy: copyParts(stack, installation, dumps, tasks.copies, { deployment, plane, containers }) }
      : {}),
    dump: {
      tasks: [dump, retention],
      functions: [confirm],
      ...(copies.length > 0 ? { starts: [copyDumps] } : {}),
      define: (scope, workflow) =>
        dumpWorkflow(scope, workflow, containers, {
          take: dump.taskDefinitionArn,
          confirm,
          clear: retention.taskDefinitionArn,
          ...(copies.length > 0 ? { copies: { workflow: copyDumps, count: copies.length } } : {}),
        }),
    },
    drill: {
      tasks: [drill],
      define: (scope, workflow) => drillWorkflow(scope, workflow, containers, drill.taskDefinitionArn),
    },
    check: {
      tasks: [drill],
      define: (scope, workflow) => checkWorkflow(scope, workflow, containers, drill.taskDefinitionArn),
    },
    report: {
      tasks: [report],
      define: (scope, workflow) => reportWorkflow(scope, workflow, containers, report.taskDefinitionArn),
    },
    restore: {
      tasks: [restore],
      define: (scope, workflow) => restoreWorkflow(scope, workflow, containers, restore.taskDefinitionArn),
    },
  };
  const stateMachines = workflowsOfSection("dumps").flatMap((kind) => {
    const defined = workflows[kind];
    if (!defined) return [];
    const { tasks: run, functions = [], starts = [], define } = defined;
    const scope = new Construct(stack, jobKinds[kind].workflow);
    return stateMachine(scope, {
      name: names.stateMachine(id, jobKinds[kind].workflow),
      definition: define(scope, { kind, installation: id, begin, finish, fail }),
      timeout: longestRun,
      log: plane.workflowLog,
      grants: [
        invokeFunctions(begin, finish, fail, ...functions),
        ...run.map((task) => runTask(stack, cluster, task)),
        startWorkflows(starts),
      ],
    });
  });
  alarm(stack, "ConfirmErrors", plane.alarms, {
    metric: confirm.metricErrors(quarter),
    description: `A dump of ${id} is not confirmed (runbook: job-failed)`,
  });
  acceptInDumps(stack);
  return { stateMachines };
};
