import * as z from "zod";
import { eventSource, type JobEvent, type JobEventName, jobEvents } from "./jobEvent.ts";

const from = <Name extends JobEventName>(name: Name) =>
  z.object({
    source: z.literal(eventSource, { error: `expected ${eventSource}` }),
    "detail-type": z.literal(name, { error: `expected ${name}` }),
    detail: jobEvents[name],
  });

const envelope = z.discriminatedUnion(
  "detail-type",
  [from("JobStarted"), from("JobProgressed"), from("JobSucceeded"), from("JobFailed"), from("JobOverdue")],
  { error: `expected one of ${Object.keys(jobEvents).join(", ")}` },
);

/** An event as EventBridge hands it to a target. What the bus adds, and fields newer than this program, are dropped. */
export const busEvent = envelope.transform(
  (event): JobEvent => ({ name: event["detail-type"], detail: event.detail }) as JobEvent,
);
