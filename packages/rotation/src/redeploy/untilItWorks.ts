import { type HealthCheck, InstallationUnhealthyError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";

/** Looks at OpenEMR, with patience. */
export interface HealthGate {
  /** One look, which takes a bounded time. Never throws for what it sees. */
  readonly look: (signal: AbortSignal) => Promise<HealthCheck>;
  /** How long OpenEMR may be unhealthy before that counts. */
  readonly limitSeconds: number;
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => Date;
  readonly progress: ReportProgress;
}

/** One good answer may come from a worker that is about to end. */
const looksInARow = 2;
const secondsBetween = 1;

/**
 * Waits until OpenEMR is healthy, several looks in a row. What could not be looked at is not healthy: a gate that sees nothing
 * lets nobody through.
 *
 * @throws {InstallationUnhealthyError} fatal: it was not, in its time; says what the last look saw
 */
export const untilHealthy = async (gate: HealthGate, signal: AbortSignal): Promise<void> => {
  const { look, limitSeconds, wait, now, progress } = gate;
  const began = now().getTime();
  let inARow = 0;
  for (;;) {
    signal.throwIfAborted();
    const seen = await look(signal);
    inARow = seen.status === "ok" || seen.status === "warning" ? inARow + 1 : 0;
    if (inARow === looksInARow) return;
    progress({ step: "health", detail: seen.detail });
    if (inARow === 0 && now().getTime() - began >= limitSeconds * 1000) {
      const next = seen.next === undefined ? "" : `; ${seen.next}`;
      throw new InstallationUnhealthyError(
        `OpenEMR is not healthy after ${limitSeconds} seconds: ${seen.name}: ${seen.detail}${next}`,
        [seen],
      );
    }
    await wait(secondsBetween, signal);
  }
};
