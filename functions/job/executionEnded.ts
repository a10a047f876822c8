import { endExecution } from "@openemr-ops/jobs/endExecution";
import * as z from "zod";
import { controlPlane } from "../shared/controlPlane.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const { stage, ports } = controlPlane(process.env);

/** Milliseconds since 1970. */
const moment = z.number();

/** Source: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html. */
const executionStatusChange = z.object({
  detail: z.object({
    executionArn: z.string(),
    stateMachineArn: z.string(),
    name: z.string(),
    status: z.enum(["FAILED", "TIMED_OUT", "ABORTED"]),
    startDate: moment,
    stopDate: moment.nullish(),
    input: z.string().nullish(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

type Detail = z.output<typeof executionStatusChange>["detail"];

/** The execution's input, when the event contains it and it is JSON. */
const inputOf = ({ input }: Detail): unknown => {
  try {
    return JSON.parse(input ?? "null");
  } catch {
    return undefined;
  }
};

/** Runs for each execution that did not succeed: closes jobs whose execution ended without reporting. */
export const handler = taskHandler(executionStatusChange, ({ detail }) =>
  endExecution(
    {
      execution: detail.executionArn,
      name: detail.name,
      stateMachine: detail.stateMachineArn,
      status: detail.status,
      startedAt: new Date(detail.startDate),
      endedAt: detail.stopDate ? new Date(detail.stopDate) : ports.now(),
      input: inputOf(detail),
      error: detail.error ?? undefined,
      cause: detail.cause ?? undefined,
    },
    stage,
    ports,
  ),
);
