import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node";

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

/**
 * Ends the run's output with `N passed, N failed, N skipped`, alone on a line. It is written when the process exits, so
 * that nothing follows it and that a run which never began (a server that did not start) has its line too.
 */
export default class ClosingLine implements Reporter {
  private totals: RunTotals | undefined;

  onInit(): void {
    process.once("exit", (exitCode) => {
      const { passed, failed, skipped } = this.totals ?? { passed: 0, failed: 1, skipped: 0 };
      const shown = exitCode !== 0 && failed === 0 ? 1 : failed;
      process.stdout.write(`\n${passed} passed, ${shown} failed, ${skipped} skipped\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[], reason: TestRunEndReason): void {
    this.totals = totalsOf(modules, unhandled, reason);
  }
}
