import { RemovalPolicy, type Stack } from "aws-cdk-lib";
import { type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { type FunctionProps, Function as SstFunction } from "sst/constructs";
import { sendToQueue } from "./policies/sendToQueue.ts";
import { useKey } from "./policies/useKey.ts";
import { writeLogs } from "./policies/writeLogs.ts";

/** As long as job records are kept: 400 days. */
export const logRetention = RetentionDays.THIRTEEN_MONTHS;

export interface OpsFunctionSettings {
  /** File and export, such as `functions/job/begin.handler`. */
  readonly handler: string;
  readonly description: string;
  /** All its rights, besides writing its log and traces. */
  readonly grants: readonly (readonly PolicyStatement[])[];
  readonly environment: Readonly<Record<string, string>>;
  /** Encrypts its log. */
  readonly key: IKey;
  readonly removable: boolean;
  /** The queue for events that it failed on; for functions that are called asynchronously. */
  readonly undelivered?: IQueue;
  readonly timeoutSeconds?: number;
  readonly memoryMiB?: number;
}

/** A Lambda function with its own role and encrypted log. */
export const opsFunction = (stack: Stack, id: string, settings: OpsFunctionSettings): SstFunction => {
  const { key, undelivered } = settings;
  const logGroup = new LogGroup(stack, `${id}Log`, {
    encryptionKey: key,
    retention: logRetention,
    removalPolicy: settings.removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
  });
  const role = new Role(stack, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
  const grants = [
    writeLogs(logGroup),
    ...settings.grants,
    ...(undelivered ? [sendToQueue(undelivered), useKey(stack, key, "sqs")] : []),
  ];
  for (const statement of grants.flat()) role.addToPolicy(statement);
  return new SstFunction(stack, id, {
    handler: settings.handler,
    description: settings.description,
    timeout: settings.timeoutSeconds ?? 30,
    memorySize: settings.memoryMiB ?? 512,
    role,
    logGroup,
    environment: { ...settings.environment },
    ...(undelivered ? { deadLetterQueue: undelivered } : {}),
    _doNotAllowOthersToBind: true,
  });
};

/** Settings of all functions of the app. */
export const functionDefaults: FunctionProps = {
  runtime: "nodejs24.x",
  architecture: "arm_64",
  tracing: "active",
  environment: { NODE_OPTIONS: "--enable-source-maps" },
  nodejs: {
    // As an ES module, an import of node:http loads all that it exports, a client for WebSockets with its parsers included.
    format: "cjs",
    minify: true,
    // "true" keeps the map in the bundle; unset, SST uploads it with a function and rights of its own.
    sourcemap: true,
    // SST has these for ES modules alone. Node reads the map at each start, so it holds places, not sources.
    esbuild: { target: "esnext", mainFields: ["module", "main"], sourcesContent: false },
  },
};
