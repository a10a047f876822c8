import { parseStrictly } from "@openemr-ops/core/config/strict";
import { kindNames } from "@openemr-ops/events/jobKinds";
import { taskInput } from "@openemr-ops/events/taskInput";
import { describe, expect, it } from "vitest";
import samples from "../../../events/samples/taskInput.v1.json" with { type: "json" };

const pathsOf = (input: unknown): readonly string[] => {
  const parsed = parseStrictly(taskInput, input);
  return "issues" in parsed ? parsed.issues.map(({ path }) => path) : [];
};

describe("a task's input", () => {
  it.each(samples)("$kind as in the samples is understood", (sample) => {
    expect(taskInput.parse(sample)).toMatchObject(sample);
  });

  it("has a sample for each kind of job", () => {
    expect(new Set(samples.map(({ kind }) => kind))).toEqual(new Set(kindNames));
  });

  it("needs no more than its kind, but for a restore", () => {
    expect(taskInput.parse({ kind: "dump" })).toEqual({
      version: 1,
      kind: "dump",
      forceNewRepository: false,
      dryRun: false,
    });
    expect(taskInput.parse({ kind: "drill" })).toMatchObject({ dump: "latest", dryRun: false });
    expect(taskInput.parse({ kind: "check" })).toMatchObject({ level: "objects" });
    expect(pathsOf({ kind: "restore" })).toEqual(["dump"]);
    expect(pathsOf({ kind: "restore", dump: "latest" })).toEqual(["intoDatabase", "intoSites"]);
  });

  it.each<[unknown, string]>([
    [undefined, ""],
    ["dump", ""],
    [{}, "kind"],
    [{ kind: "rotate" }, "kind"],
    [{ kind: "dump", version: 2 }, "version"],
    [{ kind: "dump", installation: "../etc" }, "installation"],
    [{ kind: "dump", dryRun: "yes" }, "dryRun"],
    [{ kind: "dump", dump: "latest" }, "dump"],
    [{ kind: "drill", dump: "newest" }, "dump"],
    [{ kind: "check", level: "deep" }, "level"],
    [{ kind: "check", share: "8/7" }, "share"],
    [{ kind: "check", dryRun: "yes" }, "dryRun"],
    [{ kind: "restore", dump: "latest", inPlace: true, intoSites: "/srv/restore" }, "intoSites"],
    [{ kind: "restore", dump: "latest", intoDatabase: "mysql", intoSites: "/srv/restore" }, "intoDatabase"],
    [{ kind: "restore", dump: "latest", intoDatabase: "restored", intoSites: "restore" }, "intoSites"],
    [{ kind: "restore", dump: "latest", inPlace: true, platform: "vm" }, "platform"],
    [
      { kind: "restore", dump: "latest", inPlace: true, connection: { host: "db", name: "o", user: "o" } },
      "connection.passwordFile",
    ],
  ])("%j is refused at %j", (input, path) => {
    expect(pathsOf(input)).toEqual([path]);
  });

  it("never repeats a password that someone wrote into a connection", () => {
    const input = {
      kind: "restore",
      dump: "latest",
      inPlace: true,
      connection: { host: "db", name: "o", user: "o", password: "canary-4f1e" },
    };
    const parsed = parseStrictly(taskInput, input);
    expect(parsed).toMatchObject({ issues: [{ path: "connection.password" }] });
    expect(JSON.stringify(parsed)).not.toContain("canary");
  });
});
