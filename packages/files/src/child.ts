import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";

/** Variables that every child gets; secrets come on top, never by argument. */
const inherited = [
  "PATH",
  "HOME",
  "TMPDIR",
  "GOMEMLIMIT",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

export interface ChildSettings {
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
  /** Called for each line of standard error; the last lines are kept for the error message as well. */
  readonly onErrorLine?: (line: string) => void;
  /** Called once with the number of the process. */
  readonly onStarted?: (pid: number) => void;
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of standard error, whole lines, at most 8 KiB. */
  readonly errors: string;
}

export interface Child {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when the process has ended and its output was read; rejects only when it could not start. */
  readonly ended: Promise<ChildEnd>;
  kill(signal: NodeJS.Signals): void;
  /** Also true while its output waits to be read. */
  hasExited(): boolean;
  readonly pid: number | undefined;
}

const lines = (onLine: (line: string) => void) => {
  let rest = "";
  return (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) onLine(line);
  };
};

const keptCharacters = 8192;
/** The end of a text without the rest of a line that begins before: half a line could be read as another. */
const lastLines = (text: string): string => {
  if (text.length <= keptCharacters) return text;
  const end = text.slice(-keptCharacters);
  const start = end.indexOf("\n") + 1;
  return start > 0 && start < end.length ? end.slice(start) : end;
};

/** Calls back for each line of a stream, decoded as UTF-8. */
export const onLines = (stream: Readable, onLine: (line: string) => void): void => {
  stream.setEncoding("utf8");
  stream.on("data", lines(onLine));
};

/** Where servers' programs are: the PATH of cron, or of an ordinary user, leaves them out. */
const administrators = ":/usr/local/sbin:/usr/sbin:/sbin";

/** What every child gets of our environment. @param more on top, such as a password */
export const childEnvironment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => {
  const environment: NodeJS.ProcessEnv = { LC_ALL: "C.UTF-8", TZ: "UTC" };
  for (const name of inherited) if (process.env[name] !== undefined) environment[name] = process.env[name];
  if (environment.PATH !== undefined) environment.PATH += administrators;
  return { ...environment, ...more };
};

/**
 * Starts a program with a small environment, in a process group of its own: a Ctrl-C at the terminal reaches us, and we
 * decide how the child ends.
 */
export const startChild = (command: string, args: readonly string[], settings: ChildSettings = {}): Child => {
  const child: ChildProcess = spawn(command, [...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: childEnvironment(settings.environment),
    detached: true,
    ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
  });
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new ToolMissingError(`${command} could not be started`);
  if (child.pid !== undefined) settings.onStarted?.(child.pid);
  stdin.on("error", () => {}); // the exit status shows why the reader closed the pipe
  let errors = "";
  stderr.setEncoding("utf8");
  const errorLines = lines(settings.onErrorLine ?? (() => {}));
  stderr.on("data", (chunk: string) => {
    errors = lastLines(errors + chunk);
    errorLines(chunk);
  });
  const abort = () => child.kill("SIGINT");
  settings.signal?.addEventListener("abort", abort, { once: true });
  const ended = new Promise<ChildEnd>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new ToolMissingError(`${command} is not installed, or not on the PATH`, { cause: error })
          : error,
      ),
    );
    child.once("close", (code, signal) => resolve({ code, signal, errors }));
  }).finally(() => settings.signal?.removeEventListener("abort", abort));
  ended.catch(() => {});
  if (settings.signal?.aborted) abort();
  return {
    stdin,
    stdout,
    ended,
    kill: (signal) => void child.kill(signal),
    hasExited: () => child.exitCode !== null || child.signalCode !== null,
    pid: child.pid,
  };
};

/** More than any output that is read into memory. Characters. */
const longestOutput = 256 * 1024 * 1024;

/**
 * Runs a program to its end and returns all it printed, as UTF-8 unless told otherwise; for short outputs.
 *
 * @throws {ToolFailedError} fatal: it does not stop printing
 */
export const runChild = async (
  command: string,
  args: readonly string[],
  settings: ChildSettings & { readonly input?: string; readonly encoding?: BufferEncoding } = {},
): Promise<ChildEnd & { readonly output: string }> => {
  const child = startChild(command, args, settings);
  let output = "";
  child.stdout.setEncoding(settings.encoding ?? "utf8");
  child.stdout.on("data", (chunk: string) => {
    if (output.length + chunk.length > longestOutput) child.kill("SIGKILL");
    else output += chunk;
  });
  child.stdin.end(settings.input ?? "");
  const end = await child.ended;
  if (end.signal === "SIGKILL" && output.length > longestOutput / 2)
    throw new ToolFailedError(`${command} printed more than ${longestOutput} characters and was stopped`);
  return { ...end, output };
};
