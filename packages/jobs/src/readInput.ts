import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { type TaskInput, taskInput } from "@openemr-ops/events/taskInput";
import type { BeginRequest } from "@openemr-ops/events/workflowSteps";

/**
 * ECS takes 8192 characters for all that a task is told, the workflow's token among them.
 * Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html.
 */
const longestText = 4096;

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * What a person or a schedule asks a workflow to do. `{}` is enough where the job needs no more; the workflow itself says
 * which job, and on what installation, so the input may only agree.
 *
 * @throws {InvalidInputError} fatal: names each field that is wrong
 */
export const readInput = ({ kind, installation, input = {} }: Omit<BeginRequest, "execution">): TaskInput => {
  if (!isObject(input)) return refuse("", "expected an object, such as {}");
  if (Object.hasOwn(input, "kind") && input.kind !== kind)
    refuse("kind", `expected ${kind}, which this workflow does, or leave it out`);
  if (Object.hasOwn(input, "installation") && input.installation !== installation)
    refuse("installation", `expected ${installation}, which this workflow works on, or leave it out`);
  const parsed = parseStrictly(taskInput, { ...input, kind, installation });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  if (JSON.stringify(JSON.stringify(parsed.data)).length > longestText)
    refuse("", `is too long for a task; expected at most ${longestText} characters of JSON`);
  return parsed.data;
};
