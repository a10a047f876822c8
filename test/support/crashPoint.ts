/**
 * Loaded before a program (`node --import`): counts what the program does to the world outside, and kills it, as a power
 * cut would, before the effect with the number `CRASH_AT`, counted from 1. Effects are names published, moved or removed
 * in a file system, files written, programs just started, statements that change a database, and secrets written. `CRASH_TRACE` names a file that gets one line for each effect.
 */
import childProcess from "node:child_process";
import { appendFileSync, readlinkSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const { CRASH_AT = "0", CRASH_TRACE } = process.env;
const crashAt = Number(CRASH_AT);
let count = 0;

const effect = (what: string): void => {
  count++;
  if (CRASH_TRACE) appendFileSync(CRASH_TRACE, `${what}\n`);
  if (count !== crashAt) return;
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // never goes on
};

/** Files on their way to their name, which nobody reads. */
const unnamed = /\/(\.new-|\.incoming\/)[^/]*$/;

/** Paths by way of an open directory, as they would be without. */
const named = (path: string): string => path.replace(/^\/proc\/self\/fd\/\d+/, (link) => readlinkSync(link));

for (const name of ["rename", "rm", "rmdir", "unlink", "link", "writeFile"] as const) {
  const original = files[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(files, {
    [name]: (...args: unknown[]) => {
      const path = named(String(args[name === "rename" || name === "link" ? 1 : 0]));
      if (!unnamed.test(path)) effect(`${name} ${path}`);
      return original(...args);
    },
  });
}

const { spawn } = childProcess;
Object.assign(childProcess, {
  spawn: (command: string, args: readonly string[], options: object) => {
    const child = spawn(command, args, options);
    effect(`started ${command}`);
    return child;
  },
});

const write = net.Socket.prototype.write;
/** MariaDB's protocol: a header of four bytes, the command, the statement. */
const queryCommand = 3;
const statement = /^\s*((?:CREATE|DROP|RENAME|INSERT|DELETE|UPDATE|ALTER|GRANT)\b.{0,60})/s;
/** A request to Secrets Manager begins with its headers. */
const secretWrite = /^x-amz-target: secretsmanager\.((?:Put|Update)\w+)/im;
net.Socket.prototype.write = function (this: net.Socket, ...args: unknown[]): boolean {
  const [chunk] = args;
  const isQuery = Buffer.isBuffer(chunk) && chunk[4] === queryCommand;
  const sql = isQuery ? statement.exec(chunk.subarray(5, 120).toString("latin1"))?.[1] : undefined;
  if (sql) effect(`sql ${sql.replace(/\s+/g, " ")}`);
  const [, written] = typeof chunk === "string" ? (secretWrite.exec(chunk) ?? []) : [];
  if (written) effect(`secret ${written}`);
  return Reflect.apply(write, this, args) as boolean;
};
syncBuiltinESMExports();
