/** What clocks on a wall show, as if it were UTC: milliseconds. */
export type WallTime = number;

const formats = new Map<string, Intl.DateTimeFormat>();

const formatOf = (timeZone: string): Intl.DateTimeFormat => {
  const known = formats.get(timeZone);
  if (known) return known;
  const number = "2-digit";
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
  });
  formats.set(timeZone, made);
  return made;
};

/** What the clocks of a zone show at a moment, to the second. */
export const wallTimeAt = (moment: number, timeZone: string): WallTime => {
  const fields = new Map(
    formatOf(timeZone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const of = (type: Intl.DateTimeFormatPartTypes): number => fields.get(type) ?? 0;
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
};

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
export const offsetAt = (moment: number, timeZone: string): number =>
  wallTimeAt(moment, timeZone) - Math.floor(moment / 1000) * 1000;

const day = 86_400_000;

/** The first moment at which the clocks of a zone show this; nothing when they never do, because they were set forward. */
export const firstMomentOf = (wall: WallTime, timeZone: string): number | undefined =>
  [...new Set([-day, 0, day].map((near) => wall - offsetAt(wall + near, timeZone)))]
    .sort((one, other) => one - other)
    .find((moment) => wallTimeAt(moment, timeZone) === wall);
