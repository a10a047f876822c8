import { eventSource, type JobEventName, progressSource } from "@openemr-ops/events/jobEvent";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Both operators: a request can contain several events, and each must match. */
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

/** Publish these events, and no others: for the functions of the control plane only. */
export const publishEvents = (bus: string, ...names: readonly JobEventName[]): readonly PolicyStatement[] =>
  putEvents(bus, eventSource, names);

/** Publish the progress of an installation's jobs, with that installation's own source. */
export const publishProgress = (bus: string, installation: string): readonly PolicyStatement[] =>
  putEvents(bus, progressSource(installation), ["JobProgressed"]);
