import { existsSync } from "node:fs";
import { join } from "node:path";
import { exitCodeOf, InvalidInputError, toOpsError } from "@openemr-ops/core/errors";
import { findSystemTool, ownToolsDirectory } from "./findTool.ts";
import { install } from "./install.ts";
import { type Purpose, planInstall, purposes } from "./needs.ts";

const purposeOf = (args: readonly string[]): Purpose => {
  const [flag, value, ...rest] = args;
  const purpose = purposes.find((known) => known === value);
  if (flag !== "--for" || purpose === undefined || rest.length > 0) {
    throw new InvalidInputError([{ path: "", message: `expected: npm run tools -- --for ${purposes.join("|")}` }]);
  }
  return purpose;
};

/** `npm run tools -- --for test|demo|bench|image`: installs what is missing and says nothing when nothing is. */
const main = (args: readonly string[]): void => {
  const own = [process.env.OPENEMR_OPS_TOOLS, join(ownToolsDirectory, "bin")];
  const plan = planInstall(purposeOf(args), {
    systemHas: (program) => findSystemTool(program) !== undefined,
    ownHas: (program) => own.some((directory) => directory !== undefined && existsSync(join(directory, program))),
  });
  install(plan, (line) => process.stderr.write(`tools: ${line}\n`));
};

try {
  main(process.argv.slice(2));
} catch (error) {
  const named = toOpsError(error);
  process.stderr.write(`tools: ${named.name}: ${named.message}\n`);
  process.exitCode = exitCodeOf(named);
}
