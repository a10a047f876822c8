import * as z from "zod";
import { type JobEvent, type JobEventName, jobEvents, sourceOf } from "./jobEvent.ts";

/** An event of this name as a target gets it. Fields of the bus beside these are AWS's own. */
export const envelopeOf = <Name extends JobEventName>(name: Name) =>
  z.object({
    source: z.string({ error: "expected a text" }).describe("who published it"),
    "detail-type": z.literal(name, { error: `expected ${name}` }),
    detail: jobEvents[name],
  });

const envelope = z.discriminatedUnion(
  "detail-type",
  [
    envelopeOf("JobStarted"),
    envelopeOf("JobProgressed"),
    envelopeOf("JobSucceeded"),
    envelopeOf("JobFailed"),
    envelopeOf("JobOverdue"),
  ],
  { error: `expected one of ${Object.keys(jobEvents).join(", ")}` },
);

/**
 * An event as EventBridge delivers it to a target, from the source that may publish it for its installation. Fields of the
 * bus, and fields that are newer than this program, are dropped.
 */
export const busEvent = envelope.transform((event, context): JobEvent => {
  const said = { name: event["detail-type"], detail: event.detail } as JobEvent;
  const expected = sourceOf(said);
  if (event.source !== expected)
    context.addIssue({ code: "custom", path: ["source"], message: `expected ${expected}` });
  return said;
});
