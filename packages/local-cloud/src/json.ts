import { InvalidInputError } from "@openemr-ops/core/errors";

/** A value of JSON: what templates, requests and state machines are made of. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const wrong = (where: string, expected: string): InvalidInputError =>
  new InvalidInputError([{ path: where, message: `expected ${expected}` }]);

/** Readers of one field each. `where` says in an error which one it was. */
export const objectAt = (value: unknown, where: string): JsonObject => {
  if (!isObject(value)) throw wrong(where, "an object");
  return value;
};
export const listAt = (value: unknown, where: string): Json[] => {
  if (!Array.isArray(value)) throw wrong(where, "a list");
  return value;
};
export const textAt = (value: unknown, where: string): string => {
  if (typeof value !== "string") throw wrong(where, "a text");
  return value;
};

/** The same for what may be absent. */
export const maybeObject = (value: unknown): JsonObject => (isObject(value) ? value : {});
export const maybeList = (value: unknown): Json[] => (Array.isArray(value) ? value : []);
export const maybeText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
export const numberOr = (value: unknown, otherwise: number): number =>
  value === undefined || value === null || Number.isNaN(Number(value)) ? otherwise : Number(value);

/** A text as it is, or each text of a list: how policies and patterns write "one or several". */
export const oneOrSeveral = (value: Json | undefined): readonly string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
