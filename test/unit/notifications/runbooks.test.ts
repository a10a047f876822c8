import { existsSync, readdirSync, readFileSync } from "node:fs";
import { parseArguments } from "@openemr-ops/cli/arguments";
import * as errors from "@openemr-ops/core/errors";
import { nextStepFor, nextSteps } from "@openemr-ops/notifications/nextSteps";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const directory = new URL("docs/runbooks/", root);
const pages = readdirSync(directory).map((name) => ({ name, text: readFileSync(new URL(name, directory), "utf8") }));
const textOf = (name: string): string => pages.find((page) => page.name === name)?.text ?? "";

/** The name of each error that can be thrown; families cannot. */
const errorNames = Object.entries(errors)
  .filter(([, value]) => typeof value === "function" && value.prototype instanceof errors.OpsError)
  .map(([name]) => name)
  .filter((name) => !["RetryableError", "FatalError", "RefusedError", "DamagedError"].includes(name));

/** Commands of ours that a page tells to type, continued lines joined. */
const commandsIn = (text: string): readonly string[] =>
  [...text.replaceAll("\\\n", " ").matchAll(/^openemr-ops (.+)$/gm)].map(([, command = ""]) => command);

/** From its heading to the next one. */
const sectionOf = (text: string, heading: string): string =>
  text.split(/^## /m).find((section) => section.startsWith(`${heading}\n`)) ?? "";

describe("what to do next", () => {
  it("is said for every error of the product, and for nothing else but overdue jobs", () => {
    expect(errorNames.length).toBeGreaterThan(30);
    expect(Object.keys(nextSteps).sort()).toEqual([...errorNames, "JobOverdue"].sort());
  });

  it.each(Object.entries(nextSteps))("about %s is what its runbook begins with", (name, { step, runbook }) => {
    const [, first] = sectionOf(textOf(runbook), name).split("\n\n");

    expect(first?.replaceAll("\n", " ")).toBe(step);
  });

  it.each(Object.entries(nextSteps))("about %s is short, and plain in Slack", (_, { step }) => {
    expect(step.length).toBeLessThanOrEqual(200);
    expect(step).toMatch(/\.$/);
    expect(step).not.toMatch(/[&<>*_~]/);
  });

  it.each(["", "constructor", "States.Timeout"])("about %j, which is no name of ours, is to look closer", (name) => {
    expect(nextStepFor(name)).toBe(nextSteps.UnexpectedError);
  });
});

describe("the runbooks", () => {
  it.each(pages)("tell in $name what happened, what is safe meanwhile and what to type", ({ name, text }) => {
    if (name === "README.md") return expect(commandsIn(text).length).toBeGreaterThan(0);
    const parts = text.split(/^## /m).filter((part) => part.includes("**What happened.**"));
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) {
      expect(part).toContain("**Meanwhile.**");
      expect(part).toMatch(/\*\*Type\.\*\*/);
    }
  });

  it("are all found from their first page", () => {
    const first = textOf("README.md");

    for (const { name } of pages) if (name !== "README.md") expect(first).toContain(`(${name})`);
  });

  it.each(pages.filter(({ text }) => commandsIn(text).length > 0))(
    "have in $name only commands that the command line understands",
    ({ text }) => {
      for (const command of commandsIn(text)) {
        const understood = () => parseArguments(command.trim().split(/\s+/), { cwd: "/srv", version: "1.0.0" });
        expect(understood, command).not.toThrow();
      }
    },
  );

  it.each(pages)("lead in $name to files that exist", ({ text }) => {
    for (const [, target = ""] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(existsSync(new URL(target, directory)), target).toBe(true);
  });

  it("are there wherever an alarm or a message names one", () => {
    const named = readdirSync(new URL("stacks", root))
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => [
        ...readFileSync(new URL(`stacks/${name}`, root), "utf8").matchAll(/runbook(?:s\/|: )([a-z-]+)/g),
      ])
      .map(([, name]) => `${name}.md`);

    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(existsSync(new URL(name, directory)), name).toBe(true);
  });
});
