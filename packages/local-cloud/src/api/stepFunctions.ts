import type { Execution, Executions } from "../executions.ts";
import { largestState } from "../executions.ts";
import type { Faults } from "../faults.ts";
import { type Json, type JsonObject, maybeText } from "../json.ts";
import type { RunnableMachine } from "../stateMachine.ts";
import type { TaskTokens, TokenAnswer } from "../taskTokens.ts";
import { type Operation, type Operations, ServiceError, seconds } from "./operation.ts";

const described = (execution: Execution): JsonObject => ({
  executionArn: execution.arn,
  stateMachineArn: execution.machine.arn,
  name: execution.name,
  status: execution.status,
  startDate: seconds(execution.startedAt),
  ...(execution.stoppedAt ? { stopDate: seconds(execution.stoppedAt) } : {}),
});

const checkedJson = (text: string, code: string): string => {
  try {
    JSON.parse(text);
  } catch {
    throw new ServiceError(code, `Invalid State Machine Execution Input: '${text.slice(0, 20)}' is no JSON`);
  }
  if (Buffer.byteLength(text) > largestState)
    throw new ServiceError(
      "ValidationException",
      "Value at 'input' failed to satisfy constraint: at most 262144 bytes",
    );
  return text;
};

/** Pages of a list that only grows at its end, newest first: a page begins where the one before ended. */
const page = <Item>(items: readonly Item[], { maxResults, nextToken }: JsonObject) => {
  const size = typeof maxResults === "number" && maxResults > 0 ? maxResults : 100;
  const end = typeof nextToken === "string" ? Number(nextToken) : items.length;
  const start = Math.max(0, end - size);
  return { items: items.slice(start, end).reverse(), next: start > 0 ? { nextToken: String(start) } : {} };
};

const stateDetails = (type: string): string =>
  type.endsWith("Entered") ? "stateEnteredEventDetails" : "stateExitedEventDetails";

const historyOf = ({ history, machine, error, cause, input, output }: Execution): Json[] =>
  history.map((event, index) => {
    const { at, type, state } = event;
    const common = { id: index + 1, previousEventId: index, timestamp: seconds(at), type };
    if (type === "ExecutionStarted")
      return { ...common, executionStartedEventDetails: { input, roleArn: machine.role } };
    if (type === "ExecutionSucceeded") return { ...common, executionSucceededEventDetails: { output: output ?? "" } };
    if (type === "ExecutionFailed")
      return { ...common, executionFailedEventDetails: { error: error ?? "", cause: cause ?? "" } };
    if (type.endsWith("StateEntered"))
      return { ...common, [stateDetails(type)]: { name: state ?? "", input: JSON.stringify(event.input ?? {}) } };
    if (type.endsWith("StateExited"))
      return { ...common, [stateDetails(type)]: { name: state ?? "", output: JSON.stringify(event.output ?? {}) } };
    if (type === "TaskSubmitted") {
      const { resourceType = "", output = null } = event;
      const details = { resourceType, resource: "runTask.waitForTaskToken", output: JSON.stringify(output) };
      return { ...common, taskSubmittedEventDetails: details };
    }
    if (type === "TaskSubmitFailed") {
      const { resourceType = "", error: code = "", cause: why = "" } = event;
      const details = { resourceType, resource: "runTask.waitForTaskToken", error: code, cause: why };
      return { ...common, taskSubmitFailedEventDetails: details };
    }
    if (type === "TaskFailed")
      return {
        ...common,
        taskFailedEventDetails: { error: event.error ?? "", cause: event.cause ?? "", resource: state ?? "" },
      };
    return common;
  });

/** Step Functions over the machines of the templates. */
export const stepFunctionsApi = ({
  machines,
  executions,
  tokens,
  faults,
}: {
  readonly machines: ReadonlyMap<string, RunnableMachine>;
  readonly executions: Executions;
  readonly tokens: TaskTokens;
  readonly faults: Faults;
}): Operations => {
  const machineOf = ({ stateMachineArn }: JsonObject): RunnableMachine => {
    const arn = maybeText(stateMachineArn) ?? "";
    const machine = machines.get(arn);
    if (machine) return machine;
    throw new ServiceError("StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
  };
  const executionOf = ({ executionArn }: JsonObject): Execution => {
    const arn = maybeText(executionArn) ?? "";
    const execution = executions.get(arn);
    if (execution) return execution;
    throw new ServiceError("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
  };
  const answered = (answer: TokenAnswer): JsonObject => {
    if (answer === "accepted") return {};
    const message =
      answer === "TaskTimedOut"
        ? "Task Timed Out: 'Provided task does not exist anymore'"
        : "Invalid Token: 'Invalid token'";
    throw new ServiceError(answer, message);
  };
  const tokenOf = ({ taskToken }: JsonObject): string => maybeText(taskToken) ?? "";

  const start: Operation = (body) => {
    const machine = machineOf(body);
    const name = maybeText(body.name);
    if (name !== undefined && !/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u.test(name))
      throw new ServiceError("InvalidName", `Invalid Name: '${name}'`);
    const input = checkedJson(maybeText(body.input) ?? "{}", "InvalidExecutionInput");
    const execution = executions.start(machine, { name, input });
    if (execution === "ExecutionAlreadyExists")
      throw new ServiceError(execution, `Execution Already Exists: '${name}'`);
    return { executionArn: execution.arn, startDate: seconds(execution.startedAt) };
  };

  return {
    StartExecution: start,
    DescribeExecution: (body) => {
      const execution = executionOf(body);
      const { input, output, error, cause } = execution;
      return {
        ...described(execution),
        input,
        inputDetails: { included: true },
        ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
        ...(error === undefined ? {} : { error }),
        ...(cause === undefined ? {} : { cause }),
      };
    },
    ListExecutions: (body) => {
      const { arn } = machineOf(body);
      const all = executions.ofMachine(arn) ?? [];
      const wanted = body.statusFilter === undefined ? all : all.filter(({ status }) => status === body.statusFilter);
      const { items, next } = page(wanted, body);
      return { executions: items.map(described), ...next };
    },
    StopExecution: (body) => {
      const { arn } = executionOf(body);
      const stopped = executions.stop(arn, maybeText(body.error), maybeText(body.cause));
      return { stopDate: seconds(stopped?.stoppedAt ?? new Date()) };
    },
    GetExecutionHistory: (body) => {
      const events = historyOf(executionOf(body));
      if (body.reverseOrder === true) events.reverse();
      const size = typeof body.maxResults === "number" ? body.maxResults : 1000;
      const from = Number(maybeText(body.nextToken) ?? 0);
      const more = from + size < events.length ? { nextToken: String(from + size) } : {};
      return { events: events.slice(from, from + size), ...more };
    },
    ListStateMachines: () => ({
      stateMachines: [...machines.values()].map(({ arn, name }) => ({
        stateMachineArn: arn,
        name,
        type: "STANDARD",
        creationDate: 0,
      })),
    }),
    DescribeStateMachine: (body) => {
      const { arn, name, role, definition } = machineOf(body);
      return {
        stateMachineArn: arn,
        name,
        roleArn: role,
        status: "ACTIVE",
        type: "STANDARD",
        creationDate: 0,
        definition: JSON.stringify(definition),
      };
    },
    SendTaskSuccess: (body) => {
      const output = maybeText(body.output) ?? "";
      return answered(tokens.succeed(tokenOf(body), JSON.parse(checkedJson(output, "InvalidOutput"))));
    },
    SendTaskFailure: (body) => {
      const { error = "", cause = "" } = { error: maybeText(body.error), cause: maybeText(body.cause) };
      if (error.length > 256 || cause.length > 32_768)
        throw new ServiceError("ValidationException", "error may have 256 characters and cause 32768");
      return answered(tokens.fail(tokenOf(body), error, cause));
    },
    SendTaskHeartbeat: (body) => {
      const token = tokenOf(body);
      const fault = faults.strikes.heartbeat(tokens.executionOf(token));
      if (fault?.answer === "broken connection") throw new ServiceError("connection broken on purpose", "", 0);
      return fault && tokens.executionOf(token) !== undefined ? {} : answered(tokens.heartbeat(token));
    },
  };
};
