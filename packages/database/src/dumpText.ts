import { SourceLayoutError } from "@openemr-ops/core/errors";
import { runChild } from "@openemr-ops/files/child";
import { clientArguments, clientEnvironment, type DatabaseAccess } from "./access.ts";
import { databaseError } from "./errors.ts";
import { portableSql } from "./portableSql.ts";
import { endMark, sectionMark } from "./sqlScanner.ts";
import { statementBytes } from "./statementBytes.ts";

/** Arguments of each run of mariadb-dump. */
export const everyRun = [
  ...["--skip-dump-date", "--no-tablespaces", "--hex-blob", "--skip-add-locks", "--max-allowed-packet=1G"],
  `--net-buffer-length=${statementBytes}`,
] as const;

/** mariadb-dump's last line; a dump without it was cut. */
export const dumpCompleted = "-- Dump completed\n";

/**
 * Says what to dump, one by one. Saying what to leave out is not safe: mariadb-dump's lists for that take `Notes` and
 * `notes`, or `é` and `©`, for the same name.
 */
export const namedTables = (access: DatabaseAccess, names: readonly string[]): readonly string[] => [
  "--",
  access.name,
  ...names,
];

/**
 * Runs mariadb-dump for what is small enough to come as one text: one character a byte (Latin-1), for each program comes
 * in the character set it was written in.
 *
 * @param what for the message
 * @throws the `Database…Error` family, {SourceLayoutError}
 */
export const dumpText = async (
  access: DatabaseAccess,
  what: string,
  args: readonly string[],
  { mariadbDump, signal }: { readonly mariadbDump: string; readonly signal: AbortSignal },
): Promise<string> => {
  const locking = "--skip-lock-tables"; // by default each run stops all writers, and stumbles over broken views
  const end = await runChild(mariadbDump, [...clientArguments(access), ...everyRun, locking, ...args], {
    environment: await clientEnvironment(access),
    signal,
    encoding: "latin1",
  });
  if (end.code !== 0 || !end.output.endsWith(dumpCompleted))
    throw databaseError(`dump of ${what}`, end.errors || `exit status ${end.code ?? end.signal}`);
  const text = portableSql(end.output, Buffer.from(access.name).toString("latin1"));
  if (text.split("\n").some((line) => line.startsWith(sectionMark) || `${line}\n` === endMark))
    throw new SourceLayoutError(`one of the ${what} holds a line that marks sections of a dump: change that line`);
  return text;
};
