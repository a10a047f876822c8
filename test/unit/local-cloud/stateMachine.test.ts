import type { JsonObject } from "@openemr-ops/local-cloud/json";
import { runnableMachine, type Scales } from "@openemr-ops/local-cloud/stateMachine";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const place = { arn: "arn:aws:states:eu-west-1:111122223333:stateMachine:redeploy", name: "redeploy", role: "any" };
const waits = (wait: JsonObject): JsonObject => ({
  StartAt: "Settle",
  States: { Settle: { Type: "Wait", ...wait, End: true } },
});
const twentyMinutes = waits({ Seconds: 1200 });
const machineOf = (definition: JsonObject, scales: Scales = {}) => runnableMachine({ ...place, definition }, scales);

describe("a Wait state of a machine in the local cloud", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** The first of these moments, in milliseconds, at which the execution has ended. */
  const endOf = async (definition: JsonObject, scales: Scales, moments: readonly number[]) => {
    let ended = false;
    const { interpreter, waits: taskResourceLocalHandlers } = machineOf(definition, scales);
    const running = interpreter.run({ seconds: 1200 }, { overrides: { taskResourceLocalHandlers } }).result.then(() => {
      ended = true;
    });
    let passed = 0;
    for (const moment of moments) {
      await vi.advanceTimersByTimeAsync(moment - passed);
      passed = moment;
      if (ended) return moment;
    }
    await vi.runAllTimersAsync();
    await running;
    return undefined;
  };
  const nested = (states: JsonObject): JsonObject => ({
    StartAt: "Nested",
    States: { Nested: { ...states, End: true } },
  });

  it.each<{ what: string; definition: JsonObject; scales: Scales; end: number }>([
    { what: "takes its time", definition: twentyMinutes, scales: {}, end: 1_200_000 },
    { what: "of 20 minutes takes 1.2 s", definition: twentyMinutes, scales: { waitScale: 0.001 }, end: 1200 },
    {
      what: "in a branch is scaled too",
      definition: nested({ Type: "Parallel", Branches: [twentyMinutes] }),
      scales: { waitScale: 0.001 },
      end: 1200,
    },
    {
      what: "whose 20 minutes are in the data takes 1.2 s",
      definition: waits({ SecondsPath: "$.seconds" }),
      scales: { waitScale: 0.001 },
      end: 1200,
    },
    {
      what: "takes its time from the data",
      definition: waits({ SecondsPath: "$.seconds" }),
      scales: {},
      end: 1_200_000,
    },
    { what: "knows no other scale", definition: twentyMinutes, scales: { retryScale: 0.001 }, end: 1_200_000 },
    {
      what: "of 30 days does not end at once",
      definition: waits({ Seconds: 2_592_000 }),
      scales: {},
      end: 2_000_000_000,
    },
  ])("$what", async ({ definition, scales, end }) => {
    expect(await endOf(definition, scales, [1, end - 1, end])).toBe(end);
  });

  it("hands on what it got, whatever its time is scaled by", async () => {
    const { interpreter, waits: taskResourceLocalHandlers } = machineOf(waits({ SecondsPath: "$.soak" }), {
      waitScale: 0.5,
    });
    const { result } = interpreter.run({ soak: 2, kept: "here" }, { overrides: { taskResourceLocalHandlers } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await result).toEqual({ soak: 2, kept: "here" });
  });

  it.each([{ TimestampPath: "$.at" }, { Timestamp: "2026-11-01T00:00:00Z" }])(
    "with %j is refused where waits are scaled, and runs where they are not",
    (wait) => {
      expect(() => machineOf(waits(wait), { waitScale: 0.1 })).toThrow(/redeploy: Settle.*waitScale/);
      expect(() => machineOf(waits(wait))).not.toThrow();
    },
  );

  it("leaves the time limit of a task as it is written, whatever the scale of waits", () => {
    const call = {
      Type: "Task",
      Resource: "arn:aws:states:::lambda:invoke",
      TimeoutSeconds: 1800,
      Parameters: {},
      End: true,
    };
    const { tasks } = machineOf({ StartAt: "Call", States: { Call: call } }, { waitScale: 0.001 });

    expect(tasks).toMatchObject([{ name: "Call", timeoutSeconds: 1800 }]);
  });
});
