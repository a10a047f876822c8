import * as z from "zod";
import { envelopeOf } from "./busEvent.ts";
import { type JobEventName, jobEvents } from "./jobEvent.ts";
import { taskInput } from "./taskInput.ts";
import {
  beginRequest,
  confirmRequest,
  failRequest,
  finishRequest,
  jobInHand,
  overdueRequest,
  startRequest,
  taskReport,
  workRequest,
} from "./workflowSteps.ts";

/**
 * Everything that one program writes and another reads, possibly of another release: an execution that runs during a
 * deployment, a schedule's stored target, a consumer of the bus. An incompatible change becomes a new version beside the
 * old one.
 */
export const contracts: Readonly<Record<string, z.ZodType>> = {
  ...jobEvents,
  taskInput,
  taskReport,
  jobInHand,
  beginRequest,
  workRequest,
  confirmRequest,
  finishRequest,
  failRequest,
  startRequest,
  overdueRequest,
};

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const isEvent = (name: string): name is JobEventName => Object.hasOwn(jobEvents, name);

/**
 * The contracts as JSON Schemas (draft 2020-12), by the names of their files in `events/schemas`. Those of events describe what
 * the bus delivers, as the samples beside them do: the event itself is its `detail`.
 */
export const contractSchemas = (): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    Object.entries(contracts).map(([name, schema]) => {
      const { $schema, ...rest } = z.toJSONSchema(isEvent(name) ? envelopeOf(name) : schema, { io: "input" });
      return [`${name}.v1.json`, { $schema, title: name, ...rest }];
    }),
  );
