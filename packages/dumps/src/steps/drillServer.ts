import { hash } from "node:crypto";
import { DiskFullError, LoadFailedError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { connect } from "@openemr-ops/database/connection";
import { dropLoaded } from "@openemr-ops/database/loadTarget";
import { describeOwnServer, type OwnServer, startOwnServer } from "@openemr-ops/database/ownServer";
import { statementLogs } from "@openemr-ops/database/statementLogs";
import { drillSchemaStart } from "@openemr-ops/database/users/neededRights";
import { assertWritable } from "@openemr-ops/database/writable";
import type { Directory } from "@openemr-ops/files/directory";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { logsAdvice } from "./logWarnings.ts";

/** One scratch schema an installation: what a killed drill left is found and removed by the next. The restore user needs rights on `<schema>_%`. */
export const scratchNameOf = (installation: string, schema: string): string =>
  `${drillSchemaStart(schema)}${hash("sha256", installation).slice(0, 8)}`;

/** Its server has no other schema. */
const ownSchemaName = "openemr_drill";

/**
 * Looks whether a drill will have a database server.
 *
 * @throws {ToolMissingError} refused: says what to install
 * @throws {TargetUnsuitableError} refused: the configured server only reads
 */
export const assertDrillServer = async ({ drillDatabase, tools }: DumpContext): Promise<void> => {
  if (drillDatabase === "own") {
    await describeOwnServer(tools);
    return;
  }
  await using control = await connect(drillDatabase, "information_schema");
  await assertWritable(control, drillDatabase, "database.restore.host or dumps.drill.database.host");
};

/** @param staging the drill's own directory, which the caller deletes; a server of the drill's own keeps its files there */
type WithDrillServer = <Result>(
  context: DumpContext,
  manifest: Manifest,
  staging: Directory,
  work: (access: DatabaseAccess) => Promise<Result>,
) => Promise<Result>;

/**
 * Does the work of a drill with a schema that does not exist yet, and removes the schema, or its whole server, whatever
 * happens.
 *
 * @throws {TargetUnsuitableError} refused: this server cannot take the dump; says what to set
 */
export const withDrillServer: WithDrillServer = (context, manifest, staging, work) => {
  const { drillDatabase } = context;
  return drillDatabase === "own"
    ? withOwnServer(context, manifest, staging, work)
    : withScratchSchema(context, drillDatabase, work);
};

const leftSchema = (name: string): string =>
  `the drill could not remove its schema ${name}, which contains the dump's rows: the next drill removes it before it starts; to remove it now, drop it by hand`;

const withScratchSchema = async <Result>(
  context: DumpContext,
  server: DatabaseAccess,
  work: (access: DatabaseAccess) => Promise<Result>,
): Promise<Result> => {
  const access = { ...server, name: scratchNameOf(context.installation, context.database.name) };
  const dropSchema = async (): Promise<readonly string[]> => {
    await using control = await connect(access, "information_schema");
    await dropLoaded(control, access.name);
    return statementLogs(control);
  };
  const logs = await dropSchema();
  if (logs.length > 0) context.warn(logsAdvice(logs));
  try {
    return await work(access);
  } finally {
    const [dropped] = await Promise.allSettled([dropSchema()]);
    if (dropped.status === "rejected") context.warn(leftSchema(access.name));
  }
};

const withOwnServer: WithDrillServer = async (context, manifest, staging, work) => {
  const { signal } = context;
  context.progress({ step: "server", detail: "starting a database server for the drill" });
  await using server = await startOwnServer(context.tools, staging, {
    schema: ownSchemaName,
    foldsNames: manifest.server.lowerCaseTableNames === 1,
    availableMemory: process.availableMemory(),
    signal,
  });
  try {
    return await work(server.access);
  } catch (error) {
    signal.throwIfAborted();
    throw await explained(error, server, context, manifest);
  }
};

/** The server's own words for a disk without space. */
const spaceIsOut = /\berror 1(?:114|021)\b/i;

/** What a failure on a server of the drill's own means: the operator has no other look at it. */
const explained = async (
  error: unknown,
  server: OwnServer,
  { tools, drillDirectory }: DumpContext,
  { server: source }: Manifest,
): Promise<unknown> => {
  const failure = await server.failure();
  if (failure) return failure;
  if (!(error instanceof LoadFailedError || error instanceof TargetUnsuitableError)) return error;
  if (spaceIsOut.test(error.message))
    return new DiskFullError(
      `loading the dump at ${drillDirectory}: no space left: free some, or set dumps.drill.directory to a larger disk`,
      { cause: error },
    );
  const own = await describeOwnServer(tools);
  const from = `${source.product} ${source.version}`;
  // On the source's own product and series it is no matter of what the server can take.
  if (error instanceof LoadFailedError && seriesOf(from) === seriesOf(own)) return error;
  return new TargetUnsuitableError(
    `${error.message}. The dump is of ${from}, this drill's own server is ${own}: set dumps.drill.database to a server that can take it`,
    { cause: error },
  );
};

const seriesOf = (release: string): string => release.split(".").slice(0, 2).join(".");
