import { rounded } from "../words.ts";

const second = 1000;
const day = 24 * 3600 * second;
const year = 366 * day;

/** A mark on an axis. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

const dayLabel = (moment: Date): string => `${moment.getUTCDate()} ${months[moment.getUTCMonth()]}`;
const monthLabel = (moment: Date): string =>
  moment.getUTCMonth() === 0 ? String(moment.getUTCFullYear()) : (months[moment.getUTCMonth()] ?? "");

const firstOf = (from: number, step: number): number => Math.ceil(from / step) * step;

const days = (from: number, to: number, step: number): readonly Tick[] => {
  const ticks: Tick[] = [];
  for (let value = firstOf(from, step * day); value <= to; value += step * day)
    ticks.push({ value, label: dayLabel(new Date(value)) });
  return ticks;
};

const monthTicks = (from: number, to: number, step: number): readonly Tick[] => {
  const start = new Date(from);
  const ticks: Tick[] = [];
  for (let month = firstOf(start.getUTCMonth(), step); ; month += step) {
    const moment = new Date(Date.UTC(start.getUTCFullYear(), month, 1));
    if (moment.getTime() > to) return ticks;
    if (moment.getTime() >= from) ticks.push({ value: moment.getTime(), label: monthLabel(moment) });
  }
};

/** At most six marks at the beginnings of days, months or years of UTC. */
export const timeTicks = (from: number, to: number): readonly Tick[] => {
  const most = 6;
  for (const step of [1, 2, 5, 7, 14]) if ((to - from) / day / step < most) return days(from, to, step);
  for (const step of [1, 2, 3, 6, 12, 24, 60, 120])
    if ((to - from) / (year / 12) / step < most) return monthTicks(from, to, step);
  return monthTicks(from, to, 1200);
};

/** 0 and up to four marks above it, the last at `highest` or over it, at round numbers of the units. */
const levels = (highest: number, steps: readonly number[], format: (value: number) => string): readonly Tick[] => {
  const step = steps.find((one) => one * 4 >= highest) ?? highest / 4;
  const count = Math.max(1, Math.ceil(highest / step));
  return Array.from({ length: count + 1 }, (_, index) => ({
    value: index * step,
    label: rounded(format(index * step)),
  }));
};

const powers = (base: number, most: number, of: readonly number[]): readonly number[] =>
  Array.from({ length: most }, (_, power) => of.map((one) => one * base ** power)).flat();

/** @param highest bytes */
export const byteTicks = (highest: number, format: (value: number) => string): readonly Tick[] =>
  levels(highest, powers(1024, 6, [1, 2, 5, 10, 20, 50, 100, 200, 500]), format);

/** @param highest seconds */
export const durationTicks = (highest: number, format: (value: number) => string): readonly Tick[] =>
  levels(
    highest,
    [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, ...powers(2, 10, [14_400])],
    format,
  );
