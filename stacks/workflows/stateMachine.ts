import { type Duration, Stack } from "aws-cdk-lib";
import { type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { DefinitionBody, type IChainable, LogLevel, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { deliverLogs } from "../policies/deliverLogs.ts";
import { trace } from "../policies/trace.ts";

export interface StateMachineSettings {
  readonly name: string;
  readonly definition: IChainable;
  readonly timeout: Duration;
  readonly log: ILogGroup;
  /** All its rights, besides writing its log and traces. */
  readonly grants: readonly (readonly PolicyStatement[])[];
}

/** A state machine whose role has exactly these grants, and none that the library adds. */
export const stateMachine = (scope: Construct, settings: StateMachineSettings): StateMachine => {
  const role = new Role(scope, "Role", {
    assumedBy: new ServicePrincipal("states.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": Stack.of(scope).account } },
    }),
  });
  for (const statement of [deliverLogs(), trace(), ...settings.grants].flat()) role.addToPolicy(statement);
  const machine = new StateMachine(scope, "Workflow", {
    stateMachineName: settings.name,
    definitionBody: DefinitionBody.fromChainable(settings.definition),
    timeout: settings.timeout,
    role: role.withoutPolicyUpdates(),
    tracingEnabled: true,
    // Input and output stay in the execution's history; a log is kept longer.
    logs: { destination: settings.log, level: LogLevel.ERROR, includeExecutionData: false },
  });
  machine.node.addDependency(role); // its policy too: creation writes to the log
  return machine;
};
