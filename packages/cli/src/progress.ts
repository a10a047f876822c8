import type { ProgressEvent, ReportProgress } from "@openemr-ops/core/progress";
import { describeStep, progressLine, shareOf } from "./progressLine.ts";
import type { Sink } from "./terminal.ts";

interface Step {
  readonly startedAt: number;
  latest: ProgressEvent;
  seenAt: number;
  /** Last line of a log: when, and at which tenth. */
  loggedAt: number;
  loggedTenth: number;
}

export interface ProgressDisplay {
  readonly report: ReportProgress;
  /** Clears the current line, so that the next output starts on a line of its own. Safe to repeat. */
  readonly clear: () => void;
  /** Keeps the terminal free while `work` uses it, as a question does. */
  readonly aside: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Shows nothing any more. Safe to repeat. */
  readonly end: () => void;
}

/** Calls `act` again and again; what it returns stops that. */
export type Every = (milliseconds: number, act: () => void) => () => void;

const everySoOften: Every = (milliseconds, act) => {
  const timer = setInterval(act, milliseconds);
  timer.unref();
  return () => clearInterval(timer);
};

const millisecondsBetweenLines = 10_000;
const millisecondsBetweenFrames = 100;
const millisecondsBetweenTicks = 1000;
/** A step that has reported nothing for so many milliseconds is left out of the line, while another one reports. */
const quiet = 5000;
/** Steps without figures report once, and nobody knows when they end. */
const goesOn = (event: ProgressEvent): boolean =>
  shareOf(event) !== 1 && (event.bytes ?? event.rows ?? event.files) !== undefined;

/**
 * Shows progress. On a terminal: one line that is updated, every second too when nothing is reported, with the time since the
 * beginning. Elsewhere plain lines with the time: one when a step begins, one for each tenth done, and one every 10 seconds.
 *
 * @param every the clock that ticks; for tests
 */
export const showProgress = (sink: Sink, now: () => Date, every: Every = everySoOften): ProgressDisplay => {
  const steps = new Map<string, Step>();
  const startedAt = now().getTime();
  let drawnAt = startedAt;
  let drawn = false;
  let held = false;

  const clear = () => {
    if (drawn) sink.write("\r\u001b[2K");
    drawn = false;
  };
  const stateAt = ({ latest, startedAt: since }: Step, time: number) => ({ latest, milliseconds: time - since });

  const draw = (time: number) => {
    if (held) return;
    const all = [...steps.values()];
    const active = all.filter(({ latest, seenAt }) => time - seenAt < quiet && goesOn(latest));
    const newest = all.sort((one, other) => one.seenAt - other.seenAt).slice(-1);
    const states = (active.length > 0 ? active : newest).map((step) => stateAt(step, step.seenAt));
    sink.write(`\r\u001b[2K${progressLine(states, time - startedAt, Math.max(20, (sink.columns ?? 80) - 1))}`);
    drawnAt = time;
    drawn = true;
  };

  const log = (step: Step, time: number, seenAt = time) => {
    sink.write(`${stamp(new Date(time))}${describeStep(stateAt(step, seenAt))}\n`);
    const share = shareOf(step.latest);
    step.loggedAt = time;
    step.loggedTenth = Math.floor((share ?? 0) * 10);
  };

  const report: ReportProgress = (event) => {
    const time = now().getTime();
    const known = steps.get(event.step);
    const step = known ?? { startedAt: time, latest: event, seenAt: time, loggedAt: time, loggedTenth: 0 };
    step.latest = event;
    step.seenAt = time;
    steps.set(event.step, step);
    if (sink.isTTY) {
      if (!known || shareOf(event) === 1 || time - drawnAt >= millisecondsBetweenFrames) draw(time);
      return;
    }
    const tenth = Math.floor((shareOf(event) ?? 0) * 10);
    if (!known || tenth > step.loggedTenth || time - step.loggedAt >= millisecondsBetweenLines) log(step, time);
  };

  /** Nothing was reported: the line shows that the program works. */
  const tick = () => {
    const time = now().getTime();
    if (sink.isTTY) {
      if (time - drawnAt >= millisecondsBetweenTicks) draw(time);
      return;
    }
    const [latest] = [...steps.values()].sort((one, other) => other.seenAt - one.seenAt);
    const loggedAt = Math.max(...[...steps.values()].map((step) => step.loggedAt));
    if (latest && time - loggedAt >= millisecondsBetweenLines) log(latest, time, latest.seenAt);
  };
  const stop = every(millisecondsBetweenTicks, tick);

  return {
    report,
    clear,
    aside: async (work) => {
      clear();
      held = true;
      try {
        return await work();
      } finally {
        held = false;
      }
    },
    end: () => {
      stop();
      clear();
    },
  };
};

/** What a line of a log begins with: the time, in UTC. */
export const stamp = (at: Date): string => `${at.toISOString().replace(/\.\d+Z$/, "Z")} `;
