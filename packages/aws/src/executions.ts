import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type ExecutionStatus,
  InvalidArn,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface StartExecution {
  readonly stateMachineArn: string;
  /** 1 to 80 letters, digits, hyphens and underscores; reserved for 90 days after the execution's end. */
  readonly name: string;
  /** The workflow's input, sent as JSON. */
  readonly input: unknown;
}

export interface Execution {
  readonly executionArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
  readonly stoppedAt?: Date;
  /** Why it did not succeed. */
  readonly failure?: { readonly name: string; readonly message: string };
}

/** Executions of workflows. Errors: those of the control plane. */
export interface Executions {
  /** `started` is false when an execution with that name exists or existed: a repeated start is the same job. */
  start(request: StartExecution): Promise<{ readonly executionArn: string; readonly started: boolean }>;
  /** Undefined when there is none. */
  describe(executionArn: string): Promise<Execution | undefined>;
  /** Safe to repeat. */
  stop(executionArn: string, failure: { readonly name: string; readonly message: string }): Promise<void>;
  /** The ARN of the state machine with this name in this account and region; undefined when there is none. */
  find(stateMachine: string): Promise<string | undefined>;
}

/** Executions of Step Functions. */
export const executions = (
  settings: { readonly client?: SFNClient; readonly sts?: Pick<STSClient, "send"> } = {},
): Executions => {
  const client = onFirstUse(() => settings.client ?? new SFNClient(clientSettings));
  const sts = onFirstUse(() => settings.sts ?? new STSClient(clientSettings));
  const start = async ({ stateMachineArn, name, input }: StartExecution) => {
    try {
      const question = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) });
      const { executionArn = executionArnOf(stateMachineArn, name) } = await client().send(question);
      return { executionArn, started: true };
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists)
        return { executionArn: executionArnOf(stateMachineArn, name), started: false };
      throw controlPlaneFailure(error, `starting ${stateMachineArn}`, "states:StartExecution on it");
    }
  };

  const describe = async (executionArn: string): Promise<Execution | undefined> => {
    try {
      const found = await client().send(new DescribeExecutionCommand({ executionArn }));
      const { name = "", status = "RUNNING", startDate = new Date(0), stopDate, error, cause = "" } = found;
      return {
        executionArn,
        name,
        status,
        startedAt: startDate,
        ...(stopDate ? { stoppedAt: stopDate } : {}),
        ...(error === undefined ? {} : { failure: { name: error, message: cause } }),
      };
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist || error instanceof InvalidArn) return undefined;
      throw controlPlaneFailure(error, `looking at ${executionArn}`, "states:DescribeExecution on it");
    }
  };

  const stop = async (executionArn: string, { name, message }: { readonly name: string; readonly message: string }) => {
    const question = new StopExecutionCommand({ executionArn, error: name, cause: message });
    await client()
      .send(question)
      .catch((error: unknown) => {
        throw controlPlaneFailure(error, `stopping ${executionArn}`, "states:StopExecution on it");
      });
  };

  const find = async (stateMachine: string): Promise<string | undefined> => {
    try {
      const region = await client().config.region();
      const { Arn = "" } = await sts().send(new GetCallerIdentityCommand({}));
      const [, partition, , , account] = Arn.split(":");
      const stateMachineArn = `arn:${partition}:states:${region}:${account}:stateMachine:${stateMachine}`;
      await client().send(new DescribeStateMachineCommand({ stateMachineArn }));
      return stateMachineArn;
    } catch (error) {
      if (error instanceof StateMachineDoesNotExist) return undefined;
      throw controlPlaneFailure(error, `looking for ${stateMachine}`, "states:DescribeStateMachine on it");
    }
  };

  return { start, describe, stop, find };
};

const executionArnOf = (stateMachineArn: string, name: string): string =>
  `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${name}`;
