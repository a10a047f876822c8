import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";

export interface MessageQueueSettings {
  /** The queue's address. */
  readonly url: string;
  readonly client?: Pick<SQSClient, "send">;
}

/** The client's own address, `AWS_ENDPOINT_URL` included, and not the queue's, which is no place to connect to with it. */
const newClient = () => new SQSClient({ ...clientSettings, useQueueUrlAsEndpoint: false });

/**
 * Sends texts to an SQS queue.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 * @throws {ControlPlaneAccessDeniedError} fatal
 */
export const messageQueue = ({ url, client = newClient() }: MessageQueueSettings) => ({
  /** @param attributes what stands beside the body, by name */
  send: async (body: string, attributes: Readonly<Record<string, string>> = {}): Promise<void> => {
    const named = Object.entries(attributes).map(([name, value]) => [name, { DataType: "String", StringValue: value }]);
    const message = { QueueUrl: url, MessageBody: body, MessageAttributes: Object.fromEntries(named) };
    await client.send(new SendMessageCommand(message)).catch((error: unknown) => {
      throw controlPlaneFailure(error, "putting a message into a queue", "sqs:SendMessage on that queue");
    });
  },
});
