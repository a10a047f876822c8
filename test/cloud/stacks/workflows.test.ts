import { longestSoakMinutes } from "@openemr-ops/core/config/fields";
import { retryableErrorNames } from "@openemr-ops/core/errors";
import { jobKinds, workflowKinds } from "@openemr-ops/events/jobKinds";
import { describe, expect, inject, it } from "vitest";
import { aslErrors } from "../../support/aslErrors.ts";
import { machinesOf, type State } from "../../support/templates.ts";

const machines = machinesOf(inject("synth").prod);
const worthRetrying = retryableErrorNames.filter((name) => name !== "InstallationBusyError");

const stepsOf = (states: Readonly<Record<string, State>>) =>
  Object.entries(states)
    .filter(([, { Type }]) => Type === "Task")
    .map(([name, state]) => ({ name, state }));

/** From the switch until the user before is retired, a rotation goes back before it fails. */
const goesBack = (states: Readonly<Record<string, State>>, step: string): boolean =>
  states["Roll back"] !== undefined &&
  ["Switch user", "Start deployment", "Follow deployment", "Check health"].includes(step);

const isContainer = ({ Resource = "" }: State): boolean => Resource.endsWith(":ecs:runTask.waitForTaskToken");

describe("workflows", () => {
  it("are those of each installation's sections, under names that an operator understands", () => {
    const expected = ["clinic-a", "clinic-b"].flatMap((id) =>
      workflowKinds
        .filter((kind) => id === "clinic-a" || (jobKinds[kind].section === "dumps" && kind !== "copy"))
        .map((kind) => `openemr-ops-prod-${id}-${jobKinds[kind].workflow}`),
    );
    expect(machines.map(({ name }) => name).sort()).toEqual(expected.sort());
  });

  it.each(machines)("$name is sound in the States Language", ({ definition }) => {
    expect(aslErrors(definition)).toEqual([]);
  });

  it.each(machines)("$name needs no JSONata and no variables", ({ definition }) => {
    expect(JSON.stringify(definition)).not.toMatch(/"QueryLanguage"|"Assign"|\{%/);
  });

  it.each(machines)(
    "$name writes errors to its log and nothing of what jobs work on, and is traced",
    ({ properties }) => {
      expect(properties.LoggingConfiguration).toMatchObject({ IncludeExecutionData: false, Level: "ERROR" });
      expect(properties.TracingConfiguration).toEqual({ Enabled: true });
    },
  );

  describe.each(machines)("$name", ({ name, definition }) => {
    const steps = stepsOf(definition.States);

    it.each(steps)("$name has a time limit", ({ state }) => {
      expect(state.TimeoutSeconds).toBeGreaterThan(0);
      expect(definition.TimeoutSeconds).toBeGreaterThan(4 * (state.TimeoutSeconds ?? 0));
    });

    it.each(steps)(
      "$name is tried again after what may pass, and never because the installation is busy",
      ({ state }) => {
        const retried = state.Retry?.[0]?.ErrorEquals ?? [];
        expect(retried).toEqual(expect.arrayContaining(worthRetrying));
        expect(retried).not.toContain("InstallationBusyError");
        expect(retried).not.toContain("States.ALL");
      },
    );

    it.each(steps.filter(({ name }) => name !== "Report failure"))(
      "a failure of $name is reported, whatever its name",
      ({ name: step, state }) => {
        const to = goesBack(definition.States, step) ? "Roll back" : "Report failure";
        const as = step === "Roll back" ? "$.rollBackFailure" : "$.failure"; // the first failure keeps its name
        expect(state.Catch).toEqual([{ ErrorEquals: ["States.ALL"], ResultPath: as, Next: to }]);
      },
    );

    it.each(steps.filter(({ state }) => isContainer(state)))(
      "$name notices within ten minutes that its container is gone",
      ({ state }) => {
        expect(state.HeartbeatSeconds).toBe(600);
      },
    );

    it("ends in a failure under the domain's name, and under the first failure's when that could not be reported", () => {
      expect(definition.States["Report failure"]?.Next).toBe("Job failed");
      expect(definition.States["Report failure"]?.Catch).toEqual([
        { ErrorEquals: ["States.ALL"], ResultPath: null, Next: "Job failed untold" },
      ]);
      expect(definition.States["Report failure"]?.Retry?.at(-1)?.ErrorEquals).toEqual(["States.ALL"]);
      for (const name of ["Job failed", "Job failed untold"])
        expect(definition.States[name]).toMatchObject({ Type: "Fail", ErrorPath: "$.failure.Error" });
    });

    it("runs containers in the installation's own network, without a public address", () => {
      const own = name.includes("-clinic-a-") ? /^(subnet|sg)-0a/ : /^(subnet|sg)-0b/;
      for (const { state } of steps.filter((step) => isContainer(step.state)))
        expect(state.Parameters?.NetworkConfiguration).toEqual({
          AwsvpcConfiguration: {
            AssignPublicIp: "DISABLED",
            Subnets: expect.toSatisfy((ids: readonly string[]) => ids.length > 0 && ids.every((id) => own.test(id))),
            SecurityGroups: expect.toSatisfy(
              (ids: readonly string[]) => ids.length > 0 && ids.every((id) => own.test(id)),
            ),
          },
        });
    });
  });

  it("retire a database user only after OpenEMR was seen to work with the other one", () => {
    const [rotation] = machines.filter(({ name }) => name.endsWith("RotateDatabaseCredential"));
    const { States = {} } = rotation?.definition ?? {};
    const next = (name: string) => States[name]?.Next;
    expect(["Look at service", "Switch user", "Start deployment", "Check health", "Retire user"].map(next)).toEqual([
      "Switch user",
      "Start deployment",
      "Deployment under way?",
      "Retire user",
      "Finish",
    ]);
    expect(next("Deployment is done")).toBe("Check health");
    expect(next("Roll back")).toBe("Report failure");
  });

  it("wait between the new login and the end of the key before, as long as the job says, holding its locks", () => {
    const [rotation] = machines.filter(({ name }) => name.endsWith("RotateSmtpCredential"));
    const { States = {}, TimeoutSeconds = 0 } = rotation?.definition ?? {};
    const next = (name: string) => States[name]?.Next;
    expect(["Plan phases", "Switch login", "Hold locks", "Soak", "Retire key"].map(next)).toEqual([
      "Switch login",
      "Soaking?",
      "Soak",
      "Retire key",
      "Finish",
    ]);
    const { Type, SecondsPath } = (States.Soak ?? {}) as { readonly Type?: string; readonly SecondsPath?: string };
    expect({ Type, SecondsPath }).toEqual({ Type: "Wait", SecondsPath: "$.switched.figures.soakSeconds" });
    expect(States["Hold locks"]?.Parameters?.Payload).toMatchObject({ "seconds.$": SecondsPath });
    expect(TimeoutSeconds).toBeGreaterThan(longestSoakMinutes * 60 + 4 * 7200); // it ends no soak
  });

  it("confirm a dump before old ones are cleared", () => {
    for (const { definition } of machines.filter(({ name }) => name.endsWith("DumpInstallation"))) {
      const { States } = definition;
      expect(States["Take dump"]?.Next).toBe("Dry run?");
      expect(States["Confirm dump"]?.Next).toBe("Clear old dumps");
      const last = States["Start copy 1"] ? "Start copy 1" : "Clear old dumps";
      expect(States["Clear old dumps"]?.Next).toBe(last === "Clear old dumps" ? "Finish" : last);
      expect(States[last]?.Next).toBe("Finish");
    }
  });
});
