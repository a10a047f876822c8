import type { ReportProgress } from "@openemr-ops/core/progress";
import { visibleJson } from "@openemr-ops/core/visible";

const secondsBetweenLines = 10;

/** The log of a container: JSON, one object a line, with its `time` and `level`. */
export interface ProgressLines {
  /** One line when a step begins, then one every 10 seconds at most. */
  readonly progress: ReportProgress;
  readonly warn: (message: string) => void;
  readonly note: (message: string) => void;
  readonly error: (name: string, message: string) => void;
}

export const progressLines = (write: (line: string) => void, now: () => Date): ProgressLines => {
  const loggedAt = new Map<string, number>();
  const say = (level: string, fields: object) => write(visibleJson({ time: now().toISOString(), level, ...fields }));
  return {
    progress: (event) => {
      const time = now().getTime();
      const last = loggedAt.get(event.step);
      if (last !== undefined && time - last < secondsBetweenLines * 1000) return;
      loggedAt.set(event.step, time);
      say("info", event);
    },
    warn: (message) => say("warn", { message }),
    note: (message) => say("info", { message }),
    error: (name, message) => say("error", { name, message }),
  };
};
