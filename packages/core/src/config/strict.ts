import * as z from "zod";
import type { InputIssue } from "../errors.ts";
import { didYouMean } from "./didYouMean.ts";
import { fieldPath, valueAt } from "./fieldPath.ts";
import { show } from "./show.ts";

/** An object that refuses names it does not know. For `parseStrictly`, which needs the known names for its advice. */
export const strict = <Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? Object.keys(shape).join("\n") : "expected an object"),
  });

const unknownName = (name: string, known: readonly string[]): string => {
  const meant = didYouMean(name, known);
  return meant ? `unknown setting; did you mean ${meant}?` : `unknown setting; known here: ${known.join(", ")}`;
};

/** Of an object that may also be a text or the like: what is wrong inside it, not that it is neither. */
const insideObject = (input: unknown, issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] => {
  const value = valueAt(input, issue.path);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const meant = issue.errors.find((found) =>
    found.some(({ path, code }) => path.length > 0 || code === "unrecognized_keys"),
  );
  return (meant ?? []).map((found) => ({ ...found, path: [...issue.path, ...found.path] }));
};

const toIssues = (input: unknown, issue: z.core.$ZodIssue): readonly InputIssue[] => {
  const inside = issue.code === "invalid_union" ? insideObject(input, issue) : [];
  if (inside.length > 0) return inside.flatMap((found) => toIssues(input, found));
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split("\n");
    return issue.keys.map((key) => ({ path: fieldPath([...issue.path, key]), message: unknownName(key, known) }));
  }
  const path = fieldPath(issue.path);
  if (!issue.message.startsWith("expected ")) return [{ path, message: issue.message }];
  const value = valueAt(input, issue.path);
  if (value === undefined) return [{ path, message: `is missing; ${issue.message}` }];
  const came = show(value, path.slice(path.lastIndexOf(".") + 1));
  return [{ path, message: came === undefined ? issue.message : `${issue.message}, got ${came}` }];
};

/**
 * Checks a value against a schema whose messages say what is expected (`expected a port…`); adds what came instead, unless
 * it may be a secret, and advice on misspelled names.
 */
export const parseStrictly = <Output>(
  schema: z.ZodType<Output>,
  input: unknown,
): { readonly data: Output } | { readonly issues: readonly InputIssue[] } => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { data: parsed.data };
  const issues = new Map<string, InputIssue>();
  for (const issue of parsed.error.issues.flatMap((found) => toIssues(input, found))) {
    issues.set(`${issue.path}\n${issue.message}`, issue);
  }
  return { issues: [...issues.values()] };
};
