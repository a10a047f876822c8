import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import middy from "@middy/core";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError, type OpsError, toOpsError } from "@openemr-ops/core/errors";
import type * as z from "zod";

/** One line of JSON each; never what a function was given. */
export const logger = new Logger({ serviceName: "openemr-ops" });

const framesOf = (error: Error): readonly string[] =>
  (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));

/** Our own words and where it happened; of what others threw the name alone, since their words may quote data. */
const logged = (error: OpsError) => {
  const { name, message, cause } = error;
  const because = cause instanceof Error ? { name: cause.name, stack: framesOf(cause) } : undefined;
  return { name, message, stack: framesOf(error), ...(because ? { cause: because } : {}) };
};

/**
 * One function: checks what it is given, does the work, lets a failure leave under a name that a workflow knows.
 *
 * @throws {InvalidInputError} fatal: what came breaks its contract; names each field
 * @throws what `run` throws; what nobody foresaw as {UnexpectedError}
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
