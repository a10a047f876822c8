import { overdueRequest, startRequest } from "@openemr-ops/events/workflowSteps";
import { describe, expect, inject, it } from "vitest";
import { resourcesOf, textOf } from "../../support/templates.ts";

interface Target {
  readonly Input: unknown;
  readonly Arn: unknown;
  readonly DeadLetterConfig: unknown;
}

const schedules = resourcesOf(inject("synth").prod, "AWS::Scheduler::Schedule").map(
  ({ resource: { Properties = {} } }) => ({
    name: textOf(Properties.Name),
    properties: Properties,
    target: Properties.Target as Target,
  }),
);
const byName = (name: string) => schedules.find((schedule) => schedule.name === name);

describe("schedules", () => {
  it("are those of the configuration and, for each installation that has any, one that looks for overdue jobs", () => {
    expect(schedules.map(({ name }) => name).sort()).toEqual([
      "clinic-a-check",
      "clinic-a-drill",
      "clinic-a-dump",
      "clinic-a-exportDatabase",
      "clinic-a-health",
      "clinic-a-overdue",
      "clinic-a-report",
      "clinic-a-rotateSmtp",
      "clinic-b-dump",
      "clinic-b-overdue",
    ]);
  });

  it("come when the configuration says, in its time zone and window", () => {
    expect(byName("clinic-a-dump")?.properties).toMatchObject({
      ScheduleExpression: "cron(30 4 * * ? *)",
      ScheduleExpressionTimezone: "Europe/Berlin",
      FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 15 },
    });
    expect(byName("clinic-b-dump")?.properties).toMatchObject({
      ScheduleExpression: "cron(0 3 ? * MON-FRI *)",
      ScheduleExpressionTimezone: "UTC",
      FlexibleTimeWindow: { Mode: "OFF" },
    });
  });

  it.each(schedules.filter(({ name }) => !name.endsWith("-overdue")))(
    "$name starts its own workflow, as the function understands it",
    ({ name, target }) => {
      const input = textOf(target.Input).replace("<aws.scheduler.scheduled-time>", "2026-01-01T00:00:00Z");
      const request = startRequest.parse(JSON.parse(input));
      expect(`${request.installation}-${request.kind}`).toBe(name);
      expect(request.stateMachine).toMatch(
        new RegExp(
          `^arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-${request.installation}-\\w+$`,
        ),
      );
      expect(request.input).toEqual(request.kind === "check" ? { level: "read-data" } : {});
    },
  );

  it.each(schedules.filter(({ name }) => name.endsWith("-overdue")))(
    "$name knows when each job is due",
    ({ name, target }) => {
      const request = overdueRequest.parse(JSON.parse(textOf(target.Input)));
      expect(`${request.installation}-overdue`).toBe(name);
      const due = schedules.filter((other) => other.name !== name && other.name.startsWith(`${request.installation}-`));
      expect(request.schedules).toHaveLength(due.length);
    },
  );

  it.each(schedules)("$name leaves what could not be delivered in a queue", ({ target }) => {
    expect(textOf((target.DeadLetterConfig as { readonly Arn: unknown }).Arn)).toContain("UndeliveredSchedules");
  });
});
