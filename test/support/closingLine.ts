import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node";
import { serversMissing } from "./serversHere.ts";

/** What the last line of a test run says. Everything that went wrong counts as failed, also what is not a test. */
export interface RunTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Adds up a run. A file that does not load, a hook that throws and an error outside all tests count as one failure
 * each; a run that was cut short never looks green.
 */
export const totalsOf = (
  modules: readonly TestModule[],
  unhandled: readonly SerializedError[],
  reason: TestRunEndReason,
): RunTotals => {
  const count = { passed: 0, failed: unhandled.length, skipped: 0 };
  for (const module of modules) {
    count.failed += module.errors().length;
    for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") count.passed += 1;
      else if (state === "skipped") count.skipped += 1;
      else count.failed += 1;
    }
  }
  if (reason !== "passed" && count.failed === 0) count.failed = 1;
  return count;
};

/** What a run says of servers that are not here, each of which counts as one skipped; with `required` as one failed. */
export const missingServers = (
  names: readonly string[],
  required: boolean,
): { readonly lines: readonly string[]; readonly count: { readonly failed?: number; readonly skipped?: number } } => ({
  lines: names.map(
    (name) =>
      `${name} is not here, so nothing was tested with it: .tools/install.log says why${
        required ? `; ${serversVariable}=any allows it` : ""
      }`,
  ),
  count: required ? { failed: names.length } : { skipped: names.length },
});

/** `all`: a run fails where one of the other servers is not here; `any`, as without it: the run says so. */
const serversVariable = "OPENEMR_OPS_SERVERS";

/**
 * Ends the run's output with `N passed, N failed, N skipped`, alone on a line. It is written when the process exits, so
 * that nothing follows it and that a run which never began (a server that did not start) has its line too.
 */
export default class ClosingLine implements Reporter {
  private totals: RunTotals | undefined;
  private missing: readonly string[] = [];

  onInit(): void {
    process.once("exit", (exitCode) => {
      const { passed, failed, skipped } = this.totals ?? { passed: 0, failed: 1, skipped: 0 };
      const shown = exitCode !== 0 && failed === 0 ? 1 : failed;
      for (const line of this.missing) process.stdout.write(`\n${line}`);
      process.stdout.write(`\n${passed} passed, ${shown} failed, ${skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[], reason: TestRunEndReason): void {
    this.totals = totalsOf(modules, unhandled, reason);
    if (!modules.some(({ project }) => project.name === "integration")) return;
    const { lines, count } = missingServers(
      serversMissing().map(({ name }) => name),
      process.env[serversVariable] === "all",
    );
    const { passed, failed, skipped } = this.totals;
    this.missing = lines;
    this.totals = { passed, failed: failed + (count.failed ?? 0), skipped: skipped + (count.skipped ?? 0) };
    if (count.failed) process.exitCode = 1;
  }
}
