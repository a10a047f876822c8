import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { mailArchive } from "@openemr-ops/aws/mailArchive";
import { messageQueue } from "@openemr-ops/aws/messageQueue";
import { sesSender } from "@openemr-ops/aws/sesSender";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError, RetryableError, toOpsError } from "@openemr-ops/core/errors";
import { namesOf } from "@openemr-ops/core/names";
import { type Forwarded, forwardStoredMail } from "@openemr-ops/mail/inbound/forwardStoredMail";
import * as z from "zod";
import { queuedMessage } from "../shared/queuedMessage.ts";
import { logged, logger, taskHandler } from "../shared/taskHandler.ts";
import { readMailConfig } from "./config.ts";
import { receiptOf, sesEvent } from "./sesReceipt.ts";

const { stage, installation, inbound, waiting, undelivered } = readMailConfig(process.env);
const { bucket, prefix, region, from, routes } = inbound;
const ledger = dynamoLedger({ table: namesOf(stage).jobsTable });

/** With headers and encoded attachments. Source: Amazon SES, "Service quotas", messages sent by API v2. */
const mostBytes = 40_000_000;

const forwarding = {
  archive: mailArchive({ bucket, prefix, region }, process.env),
  sender: sesSender({ region }),
  settings: { installation, from, routes, mostBytes },
  once: (messageId: string, target: string, act: () => Promise<void>) =>
    ledger.once({ topic: "mail", installation, key: `${messageId}#${target}` }, act),
  now: () => new Date(),
};

/** SES's event: itself, or as a queue kept it. */
const eventIn = (input: unknown): z.output<typeof sesEvent> => {
  const parsed = parseStrictly(sesEvent, input);
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

type Done = Forwarded | { readonly action: "wait" | "set aside"; readonly error: string };

/**
 * Forwards a message that SES received and stored. What fails and may work later waits in a queue, which calls this function
 * again; what a person has to correct becomes a dead letter under the error's name. Either has SES's event without the headers
 * that it repeats.
 */
export const handler = taskHandler(z.unknown(), async (input): Promise<Done> => {
  const message = queuedMessage.safeParse(input);
  const event = eventIn(message.success ? JSON.parse(message.data.body) : input);
  const receipt = receiptOf(event);
  const { messageId } = receipt;
  try {
    const done = await forwardStoredMail(receipt, forwarding);
    logger.info("message handled", { mail: messageId, ...done });
    return done;
  } catch (error) {
    const failure = toOpsError(error);
    const { name } = failure;
    const mayWorkLater = failure instanceof RetryableError;
    if (mayWorkLater && message.success) throw failure;
    await messageQueue({ url: mayWorkLater ? waiting : undelivered }).send(JSON.stringify(event), { error: name });
    logger.error(mayWorkLater ? "message waits" : "message set aside", {
      mail: messageId,
      failure: logged(failure),
    });
    return { action: mayWorkLater ? "wait" : "set aside", error: name };
  }
});
