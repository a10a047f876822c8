import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Runs in a process of its own for each function, as AWS's runtime does: loads the handler that `_HANDLER` names below
 * the current directory and calls it for each message of its parent, one at a time.
 */
type Invocation = { readonly requestId: string; readonly event: unknown; readonly deadline: number };
type Handler = (event: unknown, context: object) => unknown;

const environment = process.env;

/** What a failed invocation answers. Source: docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html. */
const failure = (error: unknown) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };

const loadHandler = async (): Promise<Handler> => {
  const written = environment._HANDLER ?? "";
  const dot = written.lastIndexOf(".");
  const file = [".mjs", ".js", ".cjs"]
    .map((end) => resolve(written.slice(0, dot) + end))
    .find((path) => existsSync(path));
  if (!file)
    throw Object.assign(new Error(`no file for the handler ${written}`), { name: "Runtime.ImportModuleError" });
  const module: Record<string, unknown> = await import(pathToFileURL(file).href);
  const handler = module[written.slice(dot + 1)];
  if (typeof handler !== "function")
    throw Object.assign(new Error(`${written} is no function`), { name: "Runtime.HandlerNotFound" });
  return (event, context) => handler(event, context);
};

const loading = loadHandler();
loading.catch(() => undefined);

const answer = (message: object) => process.send?.(message);

process.on("message", async ({ requestId, event, deadline }: Invocation) => {
  const name = environment.AWS_LAMBDA_FUNCTION_NAME;
  const context = {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: environment.LOCAL_FUNCTION_ARN,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const result = await (await loading)(event, context);
    answer({ requestId, payload: JSON.stringify(result ?? null) });
  } catch (error) {
    answer({ requestId, error: JSON.stringify(failure(error)) });
  }
});
// Without its parent nobody would ever end it.
process.on("disconnect", () => process.exit(0));
