import { EventBridgeClient, PutEventsCommand, type PutEventsResultEntry } from "@aws-sdk/client-eventbridge";
import { type PublishEvent, sourceOf } from "@openemr-ops/events/jobEvent";
import pRetry from "p-retry";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface EventPublisherSettings {
  /** The bus's name. */
  readonly bus: string;
  readonly client?: Pick<EventBridgeClient, "send">;
}

const attempts = 4;
const passing = /Throttl|Internal|ServiceUnavailable|LimitExceeded/;

/** An entry that the bus did not accept, as an error with its code as the name. */
const refusalOf = ({ ErrorCode }: PutEventsResultEntry): Error =>
  Object.assign(new Error("the bus did not accept the event"), { name: ErrorCode ?? "InternalFailure" });

/**
 * Publishes events on an EventBridge bus, one for each request. The response reports for each entry whether it was accepted;
 * an entry that was not is retried, then an error.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {ControlPlaneAccessDeniedError} fatal
 * @throws {ControlPlaneMissingError} fatal: there is no such bus
 */
export const eventPublisher = (settings: EventPublisherSettings): PublishEvent => {
  const { bus } = settings;
  const client = onFirstUse(() => settings.client ?? new EventBridgeClient(clientSettings));
  return async (event) => {
    const { name, detail } = event;
    const entry = {
      EventBusName: bus,
      Source: sourceOf(event),
      DetailType: name,
      Detail: JSON.stringify(detail),
      Time: new Date(detail.at),
    };
    const failure = (error: unknown) =>
      controlPlaneFailure(error, `publishing ${name} on ${bus}`, "events:PutEvents on that bus");
    const put = async (): Promise<void> => {
      const answer = await client()
        .send(new PutEventsCommand({ Entries: [entry] }))
        .catch((error: unknown) => {
          throw failure(error);
        });
      const refused = answer.Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
      if (refused || answer.FailedEntryCount) throw refusalOf(refused ?? {});
    };
    await pRetry(put, {
      retries: attempts - 1,
      minTimeout: 400,
      shouldRetry: ({ error }) => passing.test(error.name),
    }).catch((error: unknown) => {
      throw failure(error);
    });
  };
};
