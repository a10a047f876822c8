/** A clock that stands still until a test moves it. */
export interface ManualClock {
  readonly now: () => Date;
  advance(seconds: number): void;
}

export const manualClock = (start = "2026-11-20T12:00:00.000Z"): ManualClock => {
  let time = new Date(start).getTime();
  return {
    now: () => new Date(time),
    advance: (seconds) => {
      time += seconds * 1000;
    },
  };
};
