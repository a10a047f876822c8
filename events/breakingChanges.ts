import { isDeepStrictEqual } from "node:util";
import type { JsonSchema } from "./contracts.ts";

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectAt = (schema: JsonSchema, keyword: string): JsonSchema => {
  const value = schema[keyword];
  return isObject(value) ? value : {};
};

const listAt = (schema: JsonSchema, keyword: string): readonly unknown[] => {
  const value = schema[keyword];
  return Array.isArray(value) ? value : [];
};

/** Identifies a branch of a union by the fields that have one value only. */
const branchName = (branch: unknown): string =>
  isObject(branch)
    ? JSON.stringify(
        Object.entries(objectAt(branch, "properties"))
          .filter(([name, property]) => name !== "version" && isObject(property) && "const" in property)
          .map(([name, property]) => [name, isObject(property) ? property.const : undefined]),
      )
    : "";

const comparedOtherwise: ReadonlySet<string> = new Set([
  "$schema",
  "title",
  "description",
  "properties",
  "required",
  "enum",
  "oneOf",
  "anyOf",
  "items",
]);

/**
 * The changes in a schema that break consumers of the old one; empty for a compatible change. A compatible change adds an
 * optional field, a value of an enumeration or a branch of a union, or changes a description. Other changes need a new version.
 *
 * @returns each difference with the field's path
 */
export const breakingChanges = (before: JsonSchema, after: JsonSchema, path = ""): readonly string[] => {
  const at = path === "" ? "the contract" : path;
  const [old, fresh] = [objectAt(before, "properties"), objectAt(after, "properties")];
  const fields = Object.entries(old).flatMap(([name, property]) => {
    const field = path === "" ? name : `${path}.${name}`;
    const now = fresh[name];
    if (!isObject(property) || !isObject(now)) return [`${field} is gone`];
    return breakingChanges(property, now, field);
  });
  const [neededBefore, needed] = [listAt(before, "required"), listAt(after, "required")];
  const required = [
    ...needed.filter((name) => !neededBefore.includes(name)).map((name) => `${at} requires ${name}`),
    ...neededBefore.filter((name) => !needed.includes(name)).map((name) => `${at} may lack ${name}`),
  ];
  const values = listAt(before, "enum")
    .filter((value) => !listAt(after, "enum").includes(value))
    .map((value) => `${at} can no longer be ${JSON.stringify(value)}`);
  const narrowed = !("enum" in before) && "enum" in after ? [`${at} takes only some values`] : [];
  const branches = ["oneOf", "anyOf"].flatMap((keyword) => {
    const now = listAt(after, keyword);
    return listAt(before, keyword).flatMap((branch) => {
      const same = now.find((other) => branchName(other) === branchName(branch));
      if (!isObject(branch) || !isObject(same)) return [`${at} has no ${branchName(branch)} any more`];
      return breakingChanges(branch, same, path);
    });
  });
  const items =
    "items" in before ? breakingChanges(objectAt(before, "items"), objectAt(after, "items"), `${path}[]`) : [];
  const rules = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((keyword) => !comparedOtherwise.has(keyword) && !isDeepStrictEqual(before[keyword], after[keyword]))
    .map((keyword) => `${at} has another ${keyword}`);
  return [...fields, ...required, ...values, ...narrowed, ...branches, ...items, ...rules];
};
