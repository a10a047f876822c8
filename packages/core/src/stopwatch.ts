/** Starts to measure. @returns the seconds since then */
export const stopwatch = (now: () => Date): (() => number) => {
  const began = now().getTime();
  return () => (now().getTime() - began) / 1000;
};
