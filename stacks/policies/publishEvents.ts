import { eventSource, type JobEventName, progressSource } from "@openemr-ops/events/jobEvent";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Both operators: a request may hold several events, and each of them has to fit. */
const putEvents = (bus: string, source: string, names: readonly JobEventName[]): readonly PolicyStatement[] => {
  const allowed = { "events:source": source, "events:detail-type": [...names] };
  return [
    new PolicyStatement({
      actions: ["events:PutEvents"],
      resources: [bus],
      conditions: { StringEquals: allowed, "ForAllValues:StringEquals": allowed },
    }),
  ];
};

/** Putting these events of ours on the bus, and no others: for the functions of the control plane alone. */
export const publishEvents = (bus: string, ...names: readonly JobEventName[]): readonly PolicyStatement[] =>
  putEvents(bus, eventSource, names);

/** Saying how an installation's jobs get on, under the source that is that installation's own. */
export const publishProgress = (bus: string, installation: string): readonly PolicyStatement[] =>
  putEvents(bus, progressSource(installation), ["JobProgressed"]);
