import * as z from "zod";

const counted = z.string().regex(/^\d+$/).transform(Number);

/** A message of a queue, as Lambda gives it to a function whose batches have one message. */
export const queuedMessage = z
  .object({
    Records: z.tuple([
      z.object({
        body: z.string(),
        attributes: z.object({ SentTimestamp: counted, ApproximateReceiveCount: counted }),
      }),
    ]),
  })
  .transform(({ Records: [{ body, attributes }] }) => ({
    body,
    waiting: { since: new Date(attributes.SentTimestamp), deliveries: attributes.ApproximateReceiveCount },
  }));
