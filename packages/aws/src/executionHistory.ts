import { GetExecutionHistoryCommand, type HistoryEvent, ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

/** What Step Functions remembers of a workflow's executions. Errors: those of the control plane. */
export interface ExecutionHistory {
  /** The newest, newest first. */
  newest(stateMachine: string): Promise<
    readonly {
      readonly execution: string;
      readonly name: string;
      readonly running: boolean;
      readonly startedAt: Date;
    }[]
  >;
  /** How far an execution is, without the values that its steps work with. */
  look(execution: string): Promise<{
    readonly input: unknown;
    /** ARNs of the containers that it started, in order. */
    readonly tasks: readonly string[];
    /** Why the container service did not start the last one. */
    readonly refused?: { readonly name: string; readonly cause: string };
    /** Why it did not succeed. */
    readonly failed?: { readonly name: string; readonly cause: string };
    readonly running: boolean;
  }>;
}

const parsed = (text: string | undefined): unknown => {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
};

/** What RunTask answers; it may answer that it started nothing. */
interface RunTaskAnswer {
  readonly Tasks?: readonly { readonly TaskArn?: string }[];
  readonly Failures?: readonly { readonly Reason?: string; readonly Detail?: string }[];
}

const ofContainers = "ecs";

/** Source: docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html. */
const endOf = (event: HistoryEvent): { readonly name: string; readonly cause: string } | undefined => {
  const { error = "", cause = "" } =
    event.executionFailedEventDetails ??
    event.executionAbortedEventDetails ??
    event.executionTimedOutEventDetails ??
    {};
  switch (event.type) {
    case "ExecutionFailed":
      return { name: error, cause };
    case "ExecutionAborted":
      return { name: "JobAbortedError", cause: "a person stopped the execution" };
    case "ExecutionTimedOut":
      return { name: "States.Timeout", cause };
    default:
      return undefined;
  }
};

/** Step Functions' own memory of executions. */
export const executionHistory = (settings: { readonly client?: SFNClient } = {}): ExecutionHistory => {
  const client = onFirstUse(() => settings.client ?? new SFNClient(clientSettings));

  const newest: ExecutionHistory["newest"] = async (stateMachineArn) => {
    try {
      const { executions = [] } = await client().send(new ListExecutionsCommand({ stateMachineArn, maxResults: 20 }));
      return executions.map(({ executionArn = "", name = "", status, startDate = new Date(0) }) => ({
        execution: executionArn,
        name,
        running: status === "RUNNING",
        startedAt: startDate,
      }));
    } catch (error) {
      throw controlPlaneFailure(error, `listing executions of ${stateMachineArn}`, "states:ListExecutions on it");
    }
  };

  const eventsOf = async (executionArn: string): Promise<readonly HistoryEvent[]> => {
    const all: HistoryEvent[] = [];
    let nextToken: string | undefined;
    do {
      const question = new GetExecutionHistoryCommand({
        executionArn,
        includeExecutionData: true,
        maxResults: 1000,
        nextToken,
      });
      const page = await client()
        .send(question)
        .catch((error: unknown) => {
          throw controlPlaneFailure(error, `looking at ${executionArn}`, "states:GetExecutionHistory on it");
        });
      all.push(...(page.events ?? []));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return all;
  };

  const look: ExecutionHistory["look"] = async (execution) => {
    const events = await eventsOf(execution);
    const input = parsed(events.find(({ type }) => type === "ExecutionStarted")?.executionStartedEventDetails?.input);
    const tasks: string[] = [];
    let refused: { readonly name: string; readonly cause: string } | undefined;
    for (const { taskSubmittedEventDetails: submitted, taskSubmitFailedEventDetails: failed } of events) {
      if (submitted?.resourceType === ofContainers) {
        const { Tasks, Failures } = (parsed(submitted.output) ?? {}) as RunTaskAnswer;
        const [task, failure] = [Tasks?.[0]?.TaskArn, Failures?.[0]];
        if (task !== undefined) tasks.push(task);
        refused = failure ? { name: failure.Reason ?? "unknown", cause: failure.Detail ?? "" } : undefined;
      }
      if (failed?.resourceType === ofContainers) refused = { name: failed.error ?? "", cause: failed.cause ?? "" };
    }
    const failed = events.map(endOf).find((end) => end !== undefined);
    const running = !events.some(({ type = "" }) => /^Execution(Succeeded|Failed|Aborted|TimedOut)$/.test(type));
    return { input, tasks, running, ...(refused ? { refused } : {}), ...(failed ? { failed } : {}) };
  };

  return { newest, look };
};
