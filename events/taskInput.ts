import * as z from "zod";
import { type JobInput, jobKinds, kindNames } from "./jobKinds.ts";

const inputs = Object.values(jobKinds).map(({ input }) => input);

/** What the container program is asked to do: one job. Unknown names are refused. `samples/taskInput.v1.json` has one of each. */
export const taskInput = z.discriminatedUnion("kind", inputs as [(typeof inputs)[number], ...typeof inputs], {
  error: (issue) =>
    issue.code === "invalid_union"
      ? `expected ${kindNames.join(", ").replace(/, ([^,]*)$/, " or $1")}`
      : 'expected an object such as { "kind": "dump" }',
});

export type TaskInput = JobInput;
