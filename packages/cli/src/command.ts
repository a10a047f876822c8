import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { JobAbortedError } from "@openemr-ops/core/errors";
import { listenForStop } from "@openemr-ops/task/signals";
import manifest from "../package.json" with { type: "json" };
import { machineConfigDirectory } from "./findConfig.ts";
import { runProgram } from "./program.ts";

const { stdin, stdout, stderr, argv, env } = process;

const muted = new Writable({ write: (_chunk, _encoding, done) => done() });

/** Asks a person for a line. @throws {JobAbortedError} fatal: Ctrl+C or the end of the input, in place of an answer */
const prompt = async (question: string, { hidden = false } = {}): Promise<string> => {
  if (hidden) stderr.write(question);
  using lines = createInterface({ input: stdin, output: hidden ? muted : stderr, terminal: true });
  const answer = await lines.question(hidden ? "" : question).catch((cause: unknown) => {
    stderr.write("\n");
    throw new JobAbortedError("the question got no answer; nothing was changed", { cause });
  });
  if (hidden) stderr.write("\n");
  return hidden ? answer : answer.trim();
};

/** Only an explicit yes is one. */
const ask = async (question: string): Promise<boolean> => /^y(es)?$/i.test(await prompt(`${question} [y/N] `));

using stop = listenForStop(
  process,
  () => stderr.write("\nstopping safely; press Ctrl+C again to stop at once\n"),
  () => process.exit(130),
);
// The reader closed the pipe, as in "dumps | head". A job goes on all the same, and its exit status tells how it ended.
stdout.on("error", () => {});
/** Settles when the reader has taken what was written, or closed the pipe. */
const drained = (): Promise<void> =>
  new Promise((resolve) => {
    const settle = () => {
      stdout.off("drain", settle).off("close", settle);
      resolve();
    };
    stdout.on("drain", settle).on("close", settle);
    if (stdout.destroyed) settle();
  });
/** `npm run ops` starts this in the package's directory, wherever the person is. */
const startedIn = env.npm_lifecycle_event === "ops" ? env.INIT_CWD : undefined;

process.exitCode = await runProgram({
  argv: argv.slice(2),
  cwd: startedIn ?? process.cwd(),
  machineConfig: machineConfigDirectory,
  environment: env,
  stdout: Object.assign(stdout, { drained }),
  stderr,
  version: manifest.version,
  now: () => new Date(),
  signal: stop.signal,
  ...(stdin.isTTY && stderr.isTTY ? { ask, prompt } : {}),
  openOperations: async () => (await import("@openemr-ops/task/operations")).operations,
  openControlPlane: async (stage) => (await import("./openControlPlane.ts")).openControlPlane(stage),
});
