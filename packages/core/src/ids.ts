import { decodeTime, ulid as encode } from "ulid";

/**
 * An identifier that sorts by time. Source: github.com/ulid/spec.
 *
 * @param random gives numbers from 0 up to 1, one for each of 16 letters; the system's own when not set
 */
export const ulid = (now: Date, random?: () => number): string => encode(now.getTime(), random);

export const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** The moment in a ULID. */
export const ulidTime = (id: string): Date => new Date(decodeTime(id));
