import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { type InputOf, jobKinds, type WorkflowKind } from "@openemr-ops/events/jobKinds";
import type { BeginRequest } from "@openemr-ops/events/workflowSteps";

/**
 * ECS accepts 8192 characters for all overrides of a task, the workflow's token included.
 * Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html.
 */
const longestText = 4096;

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The input that a person or a schedule gives to a workflow. `{}` is enough when the job needs no more. The workflow sets
 * the kind and the installation; the input may repeat them, but not change them.
 *
 * @throws {InvalidInputError} fatal: names each field that is wrong
 */
export const readInput = ({
  kind,
  installation,
  input = {},
}: Omit<BeginRequest, "execution">): InputOf<WorkflowKind> => {
  if (!isObject(input)) return refuse("", "expected an object, such as {}");
  if (Object.hasOwn(input, "kind") && input.kind !== kind)
    refuse("kind", `expected ${kind}, which this workflow does, or leave it out`);
  if (Object.hasOwn(input, "installation") && input.installation !== installation)
    refuse("installation", `expected ${installation}, which this workflow works on, or leave it out`);
  const parsed = parseStrictly<InputOf<WorkflowKind>>(jobKinds[kind].input, { ...input, kind, installation });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  if (JSON.stringify(JSON.stringify(parsed.data)).length > longestText)
    refuse("", `is too long for a task; expected at most ${longestText} characters of JSON`);
  return parsed.data;
};
