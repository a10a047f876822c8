import { longestSoakMinutes } from "@openemr-ops/core/config/fields";
import { taskSizeOf } from "@openemr-ops/core/config/sections/taskSize";
import type { HealthSettings } from "@openemr-ops/core/config/settings";
import { jobKinds, type WorkflowOfSection } from "@openemr-ops/events/jobKinds";
import { Duration, type Stack } from "aws-cdk-lib";
import type { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import { Construct } from "constructs";
import { acceptInRotations } from "./accepted/rotations.ts";
import type { DeployedInstallation, DeployedRotations } from "./deployment.ts";
import { holdLocksFunction } from "./holdLocksFunction.ts";
import type { SectionResources, TaskResourcesContext } from "./InstallationStack.ts";
import { changeMaster } from "./policies/changeMaster.ts";
import { deployService } from "./policies/deployService.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { keepParameter } from "./policies/keepParameter.ts";
import { mountSites } from "./policies/mountSites.ts";
import { readSecrets, writePasswords } from "./policies/readSecrets.ts";
import { readTaskDefinitions } from "./policies/readTaskDefinitions.ts";
import { rotateAccessKeys } from "./policies/rotateAccessKeys.ts";
import { runTask } from "./policies/runTask.ts";
import { type RedeployFunctions, redeployFunctions } from "./redeployFunctions.ts";
import { redeployWhenRotated } from "./redeployWhenRotated.ts";
import { rotateSecretFunction } from "./rotateSecretFunction.ts";
import { taskDefinition } from "./taskDefinition.ts";
import { takePartIn, taskEnvironment } from "./taskPart.ts";
import { workflowArn } from "./workflowArn.ts";
import { containerWorkflow } from "./workflows/containerWorkflow.ts";
import { redeployWorkflow } from "./workflows/redeployWorkflow.ts";
import { rotateDatabaseWorkflow } from "./workflows/rotateDatabaseWorkflow.ts";
import { rotateSmtpWorkflow } from "./workflows/rotateSmtpWorkflow.ts";
import { stateMachine } from "./workflows/stateMachine.ts";
import type { Workflow } from "./workflows/steps.ts";

type RotationKind = WorkflowOfSection<"rotations">;

/** What its containers, waits and retries take at most, all together. */
const longestRun = Duration.days(2);
/** The same with the longest soak that a configuration or a person may set. */
const longestSmtpRun = longestRun.plus(Duration.minutes(longestSoakMinutes));

/** A task for one kind: the smallest, for it holds nothing. Its role may write the secret of its own credentials alone. */
const rotationTask = (
  stack: Stack,
  installation: DeployedInstallation,
  kind: Exclude<RotationKind, "redeploy">,
  { sites, grants }: { readonly sites: "read" | "write"; readonly grants: readonly (readonly PolicyStatement[])[] },
  { deployment, plane, image, log }: TaskResourcesContext,
): FargateTaskDefinition => {
  const { names, removable } = deployment;
  const name = kind.replace(/^rotate/, "Rotate");
  return taskDefinition(stack, `${name}Task`, {
    family: `${names.prefix}-${installation.id}-${name.replace(/(?<=[a-z])[A-Z]/g, "-$&").toLowerCase()}`,
    size: taskSizeOf(installation.task, "retention"),
    installation,
    image,
    log,
    environment: taskEnvironment(stack, deployment, installation),
    removable,
    sites,
    grants: [
      ...takePartIn(stack, { deployment, plane }, installation.id, [kind]),
      mountSites(stack, installation, { write: sites === "write" }),
      ...grants,
    ],
  });
};

/**
 * What the section `rotations` of an installation needs: for each of its credentials a task and a workflow, and one that deploys
 * OpenEMR's service anew.
 */
export const rotationResources = (
  stack: Stack,
  installation: DeployedInstallation,
  { database, admin, master, smtp, whenRotated }: DeployedRotations,
  health: HealthSettings | undefined,
  context: TaskResourcesContext,
): SectionResources => {
  const { deployment, plane, cluster } = context;
  const { names } = deployment;
  const { id, network } = installation;
  const { begin, finish, fail } = plane;
  const containers = { cluster, network, partition: stack.partition };
  const functions: RedeployFunctions = redeployFunctions(stack, installation, health, context);
  const { start, follow, look } = functions;
  const task = (kind: Exclude<RotationKind, "redeploy">, needs: Parameters<typeof rotationTask>[3]) =>
    rotationTask(stack, installation, kind, needs, context);

  const machine = (
    kind: RotationKind,
    define: (scope: Construct, workflow: Workflow) => IChainable,
    {
      run,
      invoke = [],
      timeout = longestRun,
    }: {
      readonly run?: FargateTaskDefinition;
      readonly invoke?: readonly IFunction[];
      readonly timeout?: Duration;
    },
  ) => {
    const scope = new Construct(stack, jobKinds[kind].workflow);
    return stateMachine(scope, {
      name: names.stateMachine(id, jobKinds[kind].workflow),
      definition: define(scope, { kind, installation: id, begin, finish, fail }),
      timeout,
      log: plane.workflowLog,
      grants: [invokeFunctions(begin, finish, fail, ...invoke), ...(run ? [runTask(stack, cluster, run)] : [])],
    });
  };
  const byContainer = (kind: "rotateAdmin" | "rotateMaster", name: string, run: FargateTaskDefinition) =>
    machine(
      kind,
      (scope, workflow) =>
        containerWorkflow(scope, workflow, containers, { name, task: run.taskDefinitionArn, hours: 2 }),
      { run },
    );

  const rotateDatabase = () => {
    if (!database || !look) return [];
    const { slots, administrator } = database;
    const run = task("rotateDatabase", {
      sites: "write",
      grants: [
        readSecrets(stack, [slots, administrator]),
        writePasswords(stack, [slots]),
        deployService(stack, installation, ["DescribeServices"]), // a dry run says whether it could be deployed
      ],
    });
    const parts = { task: run.taskDefinitionArn, start, follow, health: look };
    rotateSecretFunction(stack, installation, database, context);
    return [
      machine("rotateDatabase", (scope, workflow) => rotateDatabaseWorkflow(scope, workflow, containers, parts), {
        run,
        invoke: [start, follow, look],
      }),
    ];
  };
  const rotateAdmin = () => {
    if (!admin) return [];
    const grants = [readSecrets(stack, [admin.secret]), writePasswords(stack, [admin.secret])];
    return [byContainer("rotateAdmin", "Rotate password", task("rotateAdmin", { sites: "read", grants }))];
  };
  const rotateMaster = () => {
    if (!master) return [];
    const grants = [
      readSecrets(stack, [master.secret, ...master.others]),
      writePasswords(stack, [master.secret]),
      changeMaster(stack, master.cluster),
    ];
    return [byContainer("rotateMaster", "Rotate master password", task("rotateMaster", { sites: "read", grants }))];
  };
  const rotateSmtp = () => {
    if (!smtp) return [];
    const { iamUser, secrets, parameter } = smtp;
    const run = task("rotateSmtp", {
      sites: "read",
      grants: [
        readSecrets(stack, secrets),
        writePasswords(stack, secrets),
        rotateAccessKeys(stack, iamUser),
        ...(parameter === undefined ? [] : [keepParameter(stack, parameter)]),
        deployService(stack, installation, ["DescribeServices"]),
        readTaskDefinitions(),
      ],
    });
    const hold = holdLocksFunction(stack, id, context);
    const parts = { task: run.taskDefinitionArn, hold, redeploy: functions };
    return [
      machine("rotateSmtp", (scope, workflow) => rotateSmtpWorkflow(scope, workflow, containers, parts), {
        run,
        invoke: [hold, start, follow, ...(look ? [look] : [])],
        timeout: longestSmtpRun,
      }),
    ];
  };
  const redeploy = machine("redeploy", (scope, workflow) => redeployWorkflow(scope, workflow, functions), {
    invoke: [start, follow, ...(look ? [look] : [])],
  });
  if (whenRotated) {
    const rule = `${names.prefix}-${id}-rotated`;
    redeployWhenRotated(stack, id, whenRotated, workflowArn(stack, names, id, "redeploy"), rule, plane);
  }
  const stateMachines = [...rotateDatabase(), ...rotateAdmin(), ...rotateMaster(), ...rotateSmtp(), redeploy];
  acceptInRotations(stack, {
    rotateDatabase: database !== undefined,
    rotateAdmin: admin !== undefined,
    rotateMaster: master !== undefined,
    rotateSmtp: smtp !== undefined,
    health: look !== undefined,
  });
  return { stateMachines };
};
