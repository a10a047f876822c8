import type { Deployment } from "../deployment.ts";
import type { FunctionHost } from "../functions.ts";
import type { ApiRequest } from "../iam/calls.ts";
import { type Json, maybeText } from "../json.ts";
import { findFunction } from "../taskStates.ts";
import { ServiceError } from "./operation.ts";

/** An answer of a service that speaks REST. */
export interface RestAnswer {
  readonly status: number;
  readonly body: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Lambda's Invoke, synchronous or not. */
export const lambdaApi =
  ({
    deployment,
    functions,
    later,
  }: {
    readonly deployment: Deployment;
    readonly functions: FunctionHost;
    /** Keeps count of work that nobody waits for. */
    readonly later: (work: Promise<unknown>) => void;
  }) =>
  async ({ method, url, headers, payload }: ApiRequest): Promise<RestAnswer> => {
    const [, name = ""] = /\/functions\/([^/]+)\/invocations$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (method !== "POST" || !name)
      throw new ServiceError("UnknownOperationException", `the local cloud's Lambda knows Invoke alone`, 404);
    const fn = findFunction(deployment, name);
    if (!fn) throw new ServiceError("ResourceNotFoundException", `Function not found: ${name}`, 404);
    if (headers["x-amz-invocation-type"] === "Event") {
      later(functions.invokeLater(fn, payload ?? {}));
      return { status: 202, body: null };
    }
    const invoked = await functions.invoke(fn, payload ?? {});
    if ("payload" in invoked) return { status: 200, body: invoked.payload };
    const { errorType, errorMessage, trace = [] } = invoked.error;
    return {
      status: 200,
      body: { errorType, errorMessage, trace: [...trace] },
      headers: { "x-amz-function-error": "Unhandled" },
    };
  };

/** Scheduler's GetSchedule and ListSchedules. */
export const schedulerApi =
  ({ schedules }: Deployment) =>
  ({ method, url }: ApiRequest): RestAnswer => {
    const [, kind, name] = url.pathname.split("/").map(decodeURIComponent);
    if (method !== "GET" || kind !== "schedules")
      throw new ServiceError(
        "ValidationException",
        "the local cloud's Scheduler knows GetSchedule and ListSchedules alone",
      );
    if (!name) {
      const [group, prefix = ""] = [url.searchParams.get("ScheduleGroup"), url.searchParams.get("NamePrefix") ?? ""];
      const listed = [...schedules.values()].filter(
        (schedule) => (group === null || schedule.group === group) && schedule.name.startsWith(prefix),
      );
      const Schedules = listed.map((schedule) => ({
        Arn: schedule.arn,
        GroupName: schedule.group,
        Name: schedule.name,
        State: maybeText(schedule.properties.State) ?? "ENABLED",
        Target: { Arn: schedule.target.arn },
      }));
      return { status: 200, body: { Schedules } };
    }
    const group = url.searchParams.get("groupName") ?? "default";
    const schedule = schedules.get(`${group}/${name}`);
    if (!schedule) throw new ServiceError("ResourceNotFoundException", `Schedule ${name} does not exist.`, 404);
    return {
      status: 200,
      body: { State: "ENABLED", ...schedule.properties, Arn: schedule.arn, Name: name, GroupName: group },
    };
  };
