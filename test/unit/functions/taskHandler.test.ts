import { identifier } from "@openemr-ops/core/config/fields";
import { strict } from "@openemr-ops/core/config/strict";
import { DiskFullError } from "@openemr-ops/core/errors";
import { readConfirmSettings } from "@openemr-ops/functions/shared/confirmSettings";
import { readStage } from "@openemr-ops/functions/shared/environment";
import { taskHandler } from "@openemr-ops/functions/shared/taskHandler";
import type { Context } from "aws-lambda";
import { beforeEach, describe, expect, it, vi } from "vitest";

const context = { awsRequestId: "request-1", functionName: "begin", getRemainingTimeInMillis: () => 60_000 };
const schema = strict({ name: identifier });

let logged: string;
beforeEach(() => {
  logged = "";
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      logged += String(chunk);
      return true;
    });
  return () => vi.restoreAllMocks();
});

const call = (run: (input: { name: string }) => Promise<unknown>, event: unknown): Promise<unknown> =>
  Promise.resolve(taskHandler(schema, run)(event, context as unknown as Context));

describe("a function", () => {
  it("answers with what its work gives", async () => {
    expect(await call(async ({ name }) => ({ hello: name }), { name: "clinic-a" })).toEqual({ hello: "clinic-a" });
  });

  it("refuses what breaks its contract, by the fields' names, and does nothing", async () => {
    const run = vi.fn(async () => undefined);
    const refusal = call(run, { nmae: "clinic-a" });

    await expect(refusal).rejects.toMatchObject({ name: "InvalidInputError" });
    await expect(refusal).rejects.toThrow(/name: is missing; expected .*; nmae: unknown setting; did you mean name\?/);
    expect(run).not.toHaveBeenCalled();
  });

  it("fails under the name of a failure of ours", async () => {
    const failure = new DiskFullError("no space left");

    await expect(call(() => Promise.reject(failure), { name: "clinic-a" })).rejects.toBe(failure);
    expect(logged).toContain("DiskFullError");
  });

  it("fails as UnexpectedError by an unknown error, without its words", async () => {
    const refusal = call(() => Promise.reject(new TypeError("canary-4f1e")), { name: "clinic-a" });

    await expect(refusal).rejects.toMatchObject({ name: "UnexpectedError" });
    await expect(refusal).rejects.not.toThrow(/canary/);
    expect(logged).toMatch(/TypeError.*taskHandler\.test/s);
    expect(logged).not.toContain("canary");
  });

  it("logs nothing of what it was given", async () => {
    await call(async () => undefined, { name: "canary-4f1e" });
    await call(async () => undefined, { name: "canary-4f1e", token: "canary-7d1e" }).catch(() => undefined);

    expect(logged).toContain("task failed");
    expect(logged).not.toContain("canary");
  });
});

describe("a function's environment", () => {
  it("must name the stage", () => {
    expect(readStage({ OPENEMR_OPS_STAGE: "prod" })).toBe("prod");
    expect(() => readStage({})).toThrow(/OPENEMR_OPS_STAGE: is not set/);
    expect(() => readStage({ OPENEMR_OPS_STAGE: "" })).toThrow(/OPENEMR_OPS_STAGE: is not set/);
  });

  const destination = { kind: "s3", bucket: "clinic-a-dumps", prefix: "", region: "eu-central-1", pathStyle: false };
  const place = (changes: Readonly<Record<string, string>> = {}) => ({
    OPENEMR_OPS_INSTALLATION: "clinic-a",
    OPENEMR_OPS_FORMAT: "restic",
    OPENEMR_OPS_DESTINATION: JSON.stringify(destination),
    ...changes,
  });

  it("says where the dumps lie that are confirmed", () => {
    expect(readConfirmSettings(place())).toEqual({ installation: "clinic-a", format: "restic", destination });
  });

  it.each<[Readonly<Record<string, string>>, RegExp]>([
    [{ OPENEMR_OPS_INSTALLATION: "" }, /OPENEMR_OPS_INSTALLATION: is not set/],
    [{ OPENEMR_OPS_FORMAT: "tar" }, /format: expected restic or portable/],
    [{ OPENEMR_OPS_DESTINATION: "s3://bucket" }, /line 1, column 1/],
    [{ OPENEMR_OPS_DESTINATION: "{}" }, /destination\.kind: is missing; expected s3/],
    [{ OPENEMR_OPS_DESTINATION: '{"kind":"file","directory":"/srv"}' }, /destination\.kind: expected s3/],
  ])("is refused with %j", (changes, complaint) => {
    expect(() => readConfirmSettings(place(changes))).toThrow(complaint);
  });
});
