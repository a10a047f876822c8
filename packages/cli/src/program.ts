import { exitCodeOf, toOpsError } from "@openemr-ops/core/errors";
import { parseArguments } from "./arguments.ts";
import { withFlags } from "./flags.ts";
import { createOutput } from "./output.ts";
import type { Surroundings } from "./surroundings.ts";

/** Runs one command line to its end and returns the exit status; never throws. */
export const runProgram = async (surroundings: Surroundings): Promise<number> => {
  const { argv, cwd, stdout, stderr, environment, version, now, ask } = surroundings;
  const output = createOutput({ stdout, stderr, environment, json: argv.includes("--json"), now });
  try {
    const columns = stdout.columns === undefined ? {} : { columns: stdout.columns };
    const invocation = parseArguments(argv, { cwd, version, ...columns });
    if ("text" in invocation) {
      stdout.write(invocation.text);
      return 0;
    }
    const { command, common, options } = invocation;
    try {
      const asking = ask ? { ask: (question: string) => output.aside(() => ask(question)) } : {};
      return (await command.run({ ...surroundings, ...asking, output, common }, options)) ?? 0;
    } catch (failure) {
      throw withFlags(toOpsError(failure), command);
    }
  } catch (failure) {
    const error = toOpsError(failure);
    output.failure(error);
    return exitCodeOf(error);
  } finally {
    output.end();
  }
};
