import { readdirSync, readFileSync } from "node:fs";
import { breakingChanges } from "@openemr-ops/events/breakingChanges";
import { busEvent } from "@openemr-ops/events/busEvent";
import { contractSchemas, contracts, type JsonSchema } from "@openemr-ops/events/contracts";
import { type JobEventName, jobEvents } from "@openemr-ops/events/jobEvent";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";

const directory = new URL("../../../events/", import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, directory), "utf8"));

/** Samples stand in lists: all fields first, no more than needed last. Those of events are what the bus delivers. */
interface SampleFile {
  readonly file: string;
  /** Of the contract. */
  readonly name: string;
  readonly samples: readonly unknown[];
}
const sampleFiles: readonly SampleFile[] = readdirSync(new URL("samples", directory)).map((file) => ({
  file,
  name: file.split(".")[0] ?? "",
  samples: read(`samples/${file}`),
}));

const isEvent = (name: string): name is JobEventName => Object.hasOwn(jobEvents, name);
/** The part of a sample that is ours: the rest of what the bus delivers is AWS's. */
const contentOf = (name: string, sample: unknown): unknown =>
  isEvent(name) ? (sample as { detail: unknown }).detail : sample;

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields that a schema names, with dots; those of lists and maps end there. */
const fieldsOf = (schema: unknown, path = ""): readonly string[] => {
  if (!isObject(schema) || !isObject(schema.properties)) return path === "" ? [] : [path];
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    fieldsOf(property, path === "" ? name : `${path}.${name}`),
  );
};
const has = (value: unknown, path: string): boolean =>
  path.split(".").reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value) !== undefined;

describe("the contracts between programs", () => {
  it("are written down as JSON Schemas, all of them and as they are (npm run events)", () => {
    const written = readdirSync(new URL("schemas", directory)).map((name) => [name, read(`schemas/${name}`)]);

    expect(Object.fromEntries(written)).toEqual(contractSchemas());
  });

  it("have samples, all of them", () => {
    expect(sampleFiles.map(({ file }) => file).sort()).toEqual(Object.keys(contractSchemas()).sort());
  });

  it.each(sampleFiles)("still understand every sample of $file, and drop nothing of it", ({ name, samples }) => {
    expect(samples.length).toBeGreaterThan(0);
    for (const sample of samples) {
      const content = contentOf(name, sample);
      expect(contracts[name]?.parse(content)).toMatchObject(content as object);
      if (isEvent(name)) expect(busEvent.parse(sample)).toEqual({ name, detail: content });
    }
  });

  it.each(sampleFiles)("have in $file samples that are as their JSON Schema says, whole", ({ file, samples }) => {
    const validate = new Ajv2020({ allErrors: true });
    addFormats.default(validate);
    const isValid = validate.compile(read(`schemas/${file}`));
    for (const sample of samples) expect(isValid(sample) || isValid.errors).toBe(true);
    expect(isValid({})).toBe(false);
  });

  it.each(sampleFiles.filter(({ name }) => isEvent(name)))(
    "show in $file every field there is, and how little an event may have",
    ({ file, name, samples }) => {
      const schema: JsonSchema = read(`schemas/${file}`).properties.detail;
      const fields = fieldsOf(schema);
      const [fullest, least] = [contentOf(name, samples[0]), contentOf(name, samples.at(-1))];

      expect(fields.filter((field) => !has(fullest, field))).toEqual([]);
      expect(Object.keys(isObject(least) ? least : {}).sort()).toEqual([...(schema.required as string[])].sort());
    },
  );
});

describe("a consumer of events", () => {
  it("is not disturbed by fields that are newer than itself", () => {
    const [sample] = read("samples/JobFailed.v1.json");
    const newer = {
      ...sample,
      traceId: "1-2",
      detail: { ...sample.detail, attempt: 2, error: { ...sample.detail.error, hint: "x" } },
    };

    expect(busEvent.parse(newer)).toEqual({ name: "JobFailed", detail: sample.detail });
  });

  it.each<[string, { readonly detail?: object }]>([
    ["another source", { source: "aws.s3" } as object],
    ["another name", { "detail-type": "JobForgotten" } as object],
    ["a version that it does not know", { detail: { version: 2 } }],
    ["a detail that lacks something", { detail: { jobId: undefined } }],
  ])("refuses %s", (_, change) => {
    const [sample] = read("samples/JobStarted.v1.json");
    const changed = { ...sample, ...change, detail: { ...sample.detail, ...change.detail } };

    expect(busEvent.safeParse(changed).success).toBe(false);
  });
});

describe("a change of a contract", () => {
  const before: JsonSchema = {
    type: "object",
    description: "before",
    properties: {
      kind: { type: "string", enum: ["dump", "drill"] },
      error: { type: "object", properties: { name: { type: "string", maxLength: 8 } }, required: ["name"] },
      list: { type: "array", items: { type: "number" } },
      note: { type: "string" },
    },
    required: ["kind", "error"],
  };
  const properties = before.properties as Record<string, JsonSchema>;
  const union = (...kinds: readonly string[]): JsonSchema => ({
    oneOf: kinds.map((kind) => ({ type: "object", properties: { kind: { const: kind } }, required: ["kind"] })),
  });

  it.each<[string, JsonSchema, JsonSchema]>([
    ["none", before, before],
    ["other words", before, { ...before, description: "after", title: "x" }],
    ["an optional field", before, { ...before, properties: { ...properties, more: { type: "string" } } }],
    [
      "one more value",
      before,
      { ...before, properties: { ...properties, kind: { type: "string", enum: ["drill", "dump", "export"] } } },
    ],
    ["one more branch", union("dump"), union("drill", "dump")],
  ])("that is %s breaks nobody", (_, old, changed) => {
    expect(breakingChanges(old, changed)).toEqual([]);
  });

  const { note: _note, ...withoutNote } = properties;
  const error = properties.error as JsonSchema;
  it.each<[string, JsonSchema, JsonSchema, readonly string[]]>([
    ["a field gone", before, { ...before, properties: withoutNote }, ["note is gone"]],
    ["a field required", before, { ...before, required: ["kind", "error", "note"] }, ["the contract requires note"]],
    ["a field no longer sure to come", before, { ...before, required: ["kind"] }, ["the contract may lack error"]],
    [
      "a value gone",
      before,
      { ...before, properties: { ...properties, kind: { type: "string", enum: ["dump"] } } },
      ['kind can no longer be "drill"'],
    ],
    [
      "only some values",
      before,
      { ...before, properties: { ...properties, note: { type: "string", enum: ["x"] } } },
      ["note takes only some values"],
    ],
    [
      "another type",
      before,
      { ...before, properties: { ...properties, note: { type: "number" } } },
      ["note has another type"],
    ],
    [
      "a shorter text inside",
      before,
      {
        ...before,
        properties: { ...properties, error: { ...error, properties: { name: { type: "string", maxLength: 4 } } } },
      },
      ["error.name has another maxLength"],
    ],
    [
      "other items of a list",
      before,
      { ...before, properties: { ...properties, list: { type: "array", items: { type: "string" } } } },
      ["list[] has another type"],
    ],
    [
      "unknown fields refused",
      before,
      { ...before, additionalProperties: false },
      ["the contract has another additionalProperties"],
    ],
    ["a branch gone", union("dump", "drill"), union("dump"), ['the contract has no [["kind","drill"]] any more']],
  ])("that is %s is named", (_, old, changed, expected) => {
    expect(breakingChanges(old, changed)).toEqual(expected);
  });
});
