import { listenForStop } from "./signals.ts";
import { runTask } from "./taskProgram.ts";

const { stdout, stderr, env } = process;

using stop = listenForStop(
  process,
  () => stderr.write(`${JSON.stringify({ level: "warn", message: "stopping in order" })}\n`),
  () => process.exit(130),
);

process.exitCode = await runTask({
  environment: env,
  cwd: process.cwd(),
  writeResult: (text) => stdout.write(text),
  writeLog: (line) => stderr.write(`${line}\n`),
  now: () => new Date(),
  signal: stop.signal,
  openOperations: async () => (await import("./operations.ts")).operations,
  openWorkflow: async (stage) => (await import("./workflow/openWorkflow.ts")).openWorkflow(stage, () => new Date()),
});
