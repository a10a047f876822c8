import * as z from "zod";
import { fieldPath } from "./fieldPath.ts";
import type { SecretReference } from "./secrets.ts";

/** What a file must hold. `lacks`: what one lacks that does not fit, in words that follow "the file holds". */
export interface FileContent {
  readonly fits: (content: string) => boolean;
  readonly lacks: string;
  /** It opens something: nobody else may change it. */
  readonly secret?: boolean;
}

/** A rule for a secret's value. Its answer follows "the password" and never quotes it; `undefined` when all is well. */
export type SecretRule = (value: string) => string | undefined;

/** What a text of a configuration stands for. */
export type Reference =
  /** A file or directory. Without `content` it is looked at only when it is used. */
  | { readonly kind: "file"; readonly content?: FileContent | undefined }
  | {
      readonly kind: "secret";
      readonly rule?: SecretRule | undefined;
      readonly document?: boolean;
      /** A job writes it: a file that does not exist yet is none that is missing. */
      readonly written?: boolean;
    };

const references = z.registry<Reference>();

/**
 * Marks a text as a file's name. That is all that a field has to say: the name becomes absolute when a configuration is
 * loaded, and the file is checked then.
 */
export const namesFile = (schema: z.ZodString, content?: FileContent) => {
  const marked = schema.clone();
  references.add(marked, { kind: "file", content });
  return marked.brand<"file">();
};

/** The same for the place of a secret: it becomes a `SecretReference`, and a deployment finds it among all secrets. */
export const namesSecret = (schema: z.ZodString, rule?: SecretRule) => {
  const marked = schema.clone();
  references.add(marked, { kind: "secret", rule });
  return marked.brand<"secret">();
};

/** The same for a secret of several lines, such as JSON: it is read whole. */
export const namesDocument = (schema: z.ZodString, rule: SecretRule) => {
  const marked = schema.clone();
  references.add(marked, { kind: "secret", rule, document: true });
  return marked.brand<"secret">();
};

/** The same for a secret of several lines that a job writes, so that it need not exist yet. That job looks at what it holds: no other is stopped by it. */
export const namesWrittenSecret = (schema: z.ZodString) => {
  const marked = schema.clone();
  references.add(marked, { kind: "secret", document: true, written: true });
  return marked.brand<"secret">();
};

/** What a parsed value becomes: names of files absolute, places of secrets references, nothing `undefined`. */
export type Resolved<Value> =
  Value extends z.core.$brand<"secret">
    ? SecretReference
    : Value extends z.core.$brand<"file">
      ? string
      : Value extends readonly (infer Item)[]
        ? readonly Resolved<Item>[]
        : Value extends object
          ? { readonly [Name in keyof Value]: Resolved<Exclude<Value[Name], undefined>> }
          : Value;

/** Is called with each text that refers to something; what it returns takes the text's place. */
export type Visit = (text: string, path: readonly PropertyKey[], reference: Reference) => unknown;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A copy of a value with each reference replaced, found by the schema: the value may break it anywhere. Names that the
 * schema does not know, or that are `undefined`, are left out.
 *
 * @throws {TypeError} the schema holds a kind of schema that may hide references, such as a map: teach it here
 */
export const mapReferences = (
  schema: z.core.$ZodType,
  value: unknown,
  visit: Visit,
  path: readonly PropertyKey[] = [],
): unknown => {
  const reference = references.get(schema);
  if (reference) return typeof value === "string" ? visit(value, path, reference) : value;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "default":
      return value === undefined ? undefined : mapReferences(def.innerType, value, visit, path);
    case "array":
      return Array.isArray(value)
        ? value.map((item, index) => mapReferences(def.element, item, visit, [...path, index]))
        : value;
    case "record":
      return isObject(value)
        ? Object.fromEntries(
            Object.entries(value).map(([name, inner]) => [
              name,
              mapReferences(def.valueType, inner, visit, [...path, name]),
            ]),
          )
        : value;
    case "object":
      if (!isObject(value)) return value;
      return Object.fromEntries(
        Object.entries(def.shape)
          .filter(([name]) => Object.hasOwn(value, name) && value[name] !== undefined)
          .map(([name, inner]) => [name, mapReferences(inner, value[name], visit, [...path, name])]),
      );
    case "union": {
      const meant = def.options.find((option) => isMeant(option, value));
      return meant ? mapReferences(meant, value, visit, path) : value;
    }
    case "string":
    case "number":
    case "boolean":
    case "enum":
    case "literal":
      return value;
    default:
      throw new TypeError(
        `references are not looked for in a ${def.type}; teach packages/core/src/config/references.ts`,
      );
  }
};

/** A text that refers to something, and where it stands. */
export interface FoundReference {
  readonly text: string;
  /** Dotted path. */
  readonly field: string;
  readonly reference: Reference;
}

/** What a value refers to, in the order of its shape; the value may break the schema anywhere. */
export const referencesIn = (
  schema: z.core.$ZodType,
  value: unknown,
  path: readonly PropertyKey[] = [],
): readonly FoundReference[] => {
  const found: FoundReference[] = [];
  mapReferences(schema, value, (text, at, reference) => found.push({ text, field: fieldPath(at), reference }), path);
  return found;
};

/** True when the value has the literals, such as `kind`, by which this member of a union differs from the others, or is a text where only this one is. */
const isMeant = (option: z.core.$ZodType, value: unknown): boolean => {
  if (references.has(option)) return typeof value === "string";
  const { def } = (option as z.core.$ZodTypes)._zod;
  if (def.type !== "object" || !isObject(value)) return false;
  return Object.entries(def.shape)
    .filter(([, inner]) => (inner as z.core.$ZodTypes)._zod.def.type === "literal")
    .every(([name, inner]) => z.safeParse(inner, value[name]).success);
};
