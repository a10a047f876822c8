import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import middy from "@middy/core";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError, type OpsError, toOpsError } from "@openemr-ops/core/errors";
import type * as z from "zod";

/** One JSON line for each entry; never a function's input. */
export const logger = new Logger({ serviceName: "openemr-ops" });

const framesOf = (error: Error): readonly string[] =>
  (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));

/** Our own message and stack; of a foreign error the name only, because its message may quote data. */
export const logged = (error: OpsError) => {
  const { name, message, cause } = error;
  const because = cause instanceof Error ? { name: cause.name, stack: framesOf(cause) } : undefined;
  return { name, message, stack: framesOf(error), ...(because ? { cause: because } : {}) };
};

/**
 * A Lambda handler: checks the input, runs the work, throws failures with a name that a workflow knows.
 *
 * @throws {InvalidInputError} fatal: the input breaks its contract; names each field
 * @throws what `run` throws; a foreign error as {UnexpectedError}
 */
export const taskHandler = <Input, Result>(schema: z.ZodType<Input>, run: (input: Input) => Promise<Result>) =>
  middy()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .onError((request) => {
      const error = toOpsError(request.error);
      request.error = error;
      logger.error("task failed", { failure: logged(error) });
    })
    .handler(async (event: unknown): Promise<Result> => {
      const parsed = parseStrictly(schema, event);
      if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
      return run(parsed.data);
    });
