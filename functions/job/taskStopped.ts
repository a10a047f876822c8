import { taskTokens } from "@openemr-ops/aws/taskTokens";
import { stoppedTask } from "@openemr-ops/jobs/stoppedTask";
import * as z from "zod";
import { taskHandler } from "../shared/taskHandler.ts";

const tokens = taskTokens();

/** Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html. */
const taskStateChange = z.object({
  detail: z.object({
    lastStatus: z.string(),
    stopCode: z.string().optional(),
    stoppedReason: z.string().optional(),
    containers: z
      .array(z.object({ name: z.string().optional(), exitCode: z.number().optional(), reason: z.string().optional() }))
      .default([]),
    overrides: z
      .object({
        containerOverrides: z
          .array(
            z.object({
              environment: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
            }),
          )
          .default([]),
      })
      .default({ containerOverrides: [] }),
  }),
});

/** Runs for each task that stopped: fails its workflow, unless the task has already reported. */
export const handler = taskHandler(taskStateChange, async ({ detail }) => {
  const stopped = stoppedTask(detail);
  if (stopped) await tokens.fail(stopped.token, stopped.failure);
});
