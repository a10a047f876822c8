import { existsSync, readFileSync } from "node:fs";
import { busEvent } from "@openemr-ops/events/busEvent";
import { contractSchemas, type JsonSchema } from "@openemr-ops/events/contracts";
import { jobEvents } from "@openemr-ops/events/jobEvent";
import { describe, expect, it } from "vitest";
import failed from "../../../events/samples/JobFailed.v1.json" with { type: "json" };
import overdue from "../../../events/samples/JobOverdue.v1.json" with { type: "json" };
import progressed from "../../../events/samples/JobProgressed.v1.json" with { type: "json" };
import started from "../../../events/samples/JobStarted.v1.json" with { type: "json" };
import succeeded from "../../../events/samples/JobSucceeded.v1.json" with { type: "json" };

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/events.md", root), "utf8");
const samples: readonly unknown[] = [...started, ...progressed, ...succeeded, ...failed, ...overdue];

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const blocks: readonly JsonSchema[] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = ""]) =>
  JSON.parse(text),
);
const patterns = blocks.filter((block) => Array.isArray(block.source));
const examples = blocks.filter((block) => typeof block.source === "string");

/** EventBridge's rule for patterns of plain values: each list holds the event's value at that place. */
const matches = (pattern: unknown, event: unknown): boolean =>
  Array.isArray(pattern)
    ? pattern.includes(event)
    : isObject(pattern) &&
      isObject(event) &&
      Object.entries(pattern).every(([name, inner]) => matches(inner, event[name]));

const namesMatched = (pattern: unknown): readonly unknown[] =>
  samples.filter((sample) => matches(pattern, sample)).map((sample) => (isObject(sample) ? sample["detail-type"] : ""));

/** Fields of a schema with dots, and whether they are sure to come. */
const fieldsOf = (schema: JsonSchema): readonly string[] =>
  Object.entries(isObject(schema.properties) ? schema.properties : {}).flatMap(([name, property]) =>
    isObject(property) && isObject(property.properties)
      ? fieldsOf(property).map((inner) => `${name}.${inner}`)
      : [name],
  );

/** What a job's event says: all but what the bus adds. */
const fieldsOfEvent = (name: string): readonly string[] => {
  const { properties } = contractSchemas()[`${name}.v1.json`] ?? {};
  return isObject(properties) && isObject(properties.detail) ? fieldsOf(properties.detail) : [];
};

describe("the page about events", () => {
  it.each(Object.keys(jobEvents))("names %s and every field it has", (name) => {
    expect(page).toContain(`| \`${name}\``);
    for (const field of fieldsOfEvent(name)) expect(page).toContain(`| \`${field}\``);
  });

  it("names no field that there is not", () => {
    const [, table = ""] = page.split("## Fields");
    const named = [...table.matchAll(/^\| `([A-Za-z.]+)`/gm)].map(([, field]) => field);
    const there = new Set(Object.keys(jobEvents).flatMap(fieldsOfEvent));

    expect(new Set(named)).toEqual(there);
  });

  it("has patterns that choose what the page says", () => {
    expect(patterns.map(namesMatched)).toEqual([
      ["JobFailed", "JobFailed", "JobOverdue", "JobOverdue"],
      ["JobSucceeded"],
      [],
    ]);
    const [sample] = failed;
    const damage = { ...sample, detail: { ...sample?.detail, error: { name: "KeyPairError", message: "" } } };
    expect(matches(patterns[2], damage)).toBe(true);
  });

  it("has an example that is an event", () => {
    expect(examples.map((example) => busEvent.safeParse(example).error)).toEqual([undefined]);
  });

  it("leads to files that exist", () => {
    for (const [, target = ""] of page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(existsSync(new URL(target, new URL("docs/", root))), target).toBe(true);
  });
});
