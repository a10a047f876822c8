import { readFileSync } from "node:fs";
import { commands } from "@openemr-ops/cli/commands/index";
import { jobNames } from "@openemr-ops/core/config/jobNames";
import { schedules, sectionOfSchedule } from "@openemr-ops/core/config/sections/schedules";
import { longestStage, namesOf } from "@openemr-ops/core/names";
import {
  isWorkflowKind,
  jobKinds,
  kindNames,
  lockOrder,
  locksOf,
  longestDeployedId,
  scheduledKinds,
  stateMachineOf,
  workflowKinds,
} from "@openemr-ops/events/jobKinds";
import { taskInput } from "@openemr-ops/events/taskInput";
import { measured, overdueSteps } from "@openemr-ops/notifications/kindWords";
import { programs } from "@openemr-ops/task/programs/index";
import { describe, expect, it } from "vitest";
import samples from "../../../events/samples/taskInput.v1.json" with { type: "json" };

const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8").replaceAll("\n", " ");

/** `exportDatabase` is typed as `export database`. */
const typed = (kind: string): string => kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

describe("a copy to a place that the configuration does not list", () => {
  it("keeps no dump and no copy of the configuration waiting", () => {
    const request = { kind: "copy", dryRun: false, copy: 1 } as const;
    expect(locksOf({ ...request, to: "file:///mnt/usb" })).toEqual(["dump-copy-to"]);
    expect(locksOf(request)).toEqual(["dump-copy-1"]);
  });
});

describe.each(kindNames)("a job of kind %s", (kind) => {
  const { noun, section } = jobKinds[kind];
  const ofKind = samples.filter((sample) => sample.kind === kind);

  it("has a noun of its own, a program and a command of its name", () => {
    expect(noun).toMatch(/^[A-Z][A-Za-z ]+$/);
    expect(kindNames.filter((other) => jobKinds[other].noun === noun)).toEqual([kind]);
    expect(Object.keys(programs)).toContain(kind);
    expect(commands.filter(({ job }) => job === kind).map(({ name }) => name)).toEqual([typed(kind)]);
  });

  it("can have hooks, and be named by a channel of notifications", () => {
    expect(jobNames).toContain(kind);
  });

  it("has a sample of its input, and names its locks for each, in the one order", () => {
    expect(ofKind.length).toBeGreaterThan(0);
    for (const sample of ofKind) {
      const locks = locksOf({ ...taskInput.parse(sample), dryRun: false });
      expect(lockOrder.filter((lock) => locks.includes(lock))).toEqual(locks);
      expect(locksOf({ ...taskInput.parse(sample), dryRun: true })).toEqual([]);
    }
  });

  it("is in the table of locks", () => {
    const [row] = new RegExp(`\\| \\x60${kind}\\x60 [^|]*\\|[^|]*\\|`).exec(page("architecture.md")) ?? [];
    const possible = ofKind.flatMap((sample) => locksOf({ ...taskInput.parse(sample), dryRun: false }));
    expect(row).toBeDefined();
    for (const lock of possible.length > 0 ? possible : ["nothing"]) expect(row).toContain(lock);
  });

  if (isWorkflowKind(kind)) {
    it("has a workflow that people find, and words for its figures", () => {
      expect(page("jobs.md")).toContain(`\`${kind}\`, \`${jobKinds[kind].workflow}\``);
      expect(measured[kind]).toMatch(/ time$/);
    });

    it("has a workflow whose name fits, of the longest installation in the longest stage", () => {
      for (const stage of ["s".repeat(longestStage), "s", `dev-${"s".repeat(longestStage - 4)}`]) {
        const longest = longestDeployedId(stage, [section]);
        const least = { users: 30, rotations: 26 };
        expect(longest).toBeGreaterThanOrEqual(section in least ? least[section as keyof typeof least] : 31);
        expect(stateMachineOf(stage, "c".repeat(longest), kind).length).toBeLessThanOrEqual(80);
        expect(namesOf(stage).schedule("c".repeat(longest), kind).length).toBeLessThanOrEqual(64);
      }
    });
  }

  const scheduled = scheduledKinds.find((known) => known === kind);
  if (scheduled) {
    it("has a rule for its schedule, and a next step with a runbook when it is overdue", () => {
      expect(Object.keys(schedules.schema.shape)).toContain(kind);
      expect(sectionOfSchedule[scheduled]).toBe(section);
      expect(jobKinds[scheduled].input.safeParse({ kind }).success).toBe(true);
      expect(page("runbooks/overdue.md")).toContain(overdueSteps[scheduled]);
    });
  } else
    it("has no schedule", () => {
      expect(Object.keys(schedules.schema.shape)).not.toContain(kind);
    });
});

it("no two workflows share a name", () => {
  expect(new Set(workflowKinds.map((kind) => jobKinds[kind].workflow)).size).toBe(workflowKinds.length);
});
