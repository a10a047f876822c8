import { eventSource, type JobEventName } from "@openemr-ops/events/jobEvent";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Putting these events of ours on the bus, and no others. */
export const publishEvents = (bus: string, ...names: readonly JobEventName[]): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["events:PutEvents"],
    resources: [bus],
    conditions: { StringEquals: { "events:source": eventSource, "events:detail-type": [...names] } },
  }),
];
