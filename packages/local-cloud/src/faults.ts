import type { DeployedFunction } from "./deployment.ts";
import { TaskFailure } from "./taskTokens.ts";

/** How often a fault strikes; not said: until it is lifted. */
interface Repetition {
  readonly times?: number;
}

/** A heartbeat that is dropped is never received: its sender gets a good answer, or its connection breaks. */
export type HeartbeatFault = {
  readonly answer: "accepted" | "broken connection";
  readonly execution?: string;
} & Repetition;

/** An error that a service answers instead of doing what it is asked; with status 0 the connection breaks. */
export type ApiFault = { readonly code: string; readonly message?: string; readonly status?: number } & Repetition;

interface Armed<Fault> {
  readonly fault: Fault;
  left: number;
}

/** Ends a fault. */
export type Lift = () => void;

/** What goes wrong on purpose. */
export const faults = (functions: Iterable<DeployedFunction>) => {
  const known = [...functions];
  const ofFunctions = new Map<DeployedFunction, Armed<Error>[]>();
  const ofRunTask: Armed<TaskFailure>[] = [];
  const ofHeartbeats: Armed<HeartbeatFault>[] = [];
  const ofDeliveries: Armed<true>[] = [];
  const ofCalls = new Map<string, Armed<ApiFault>[]>();

  const arm = <Fault>(list: Armed<Fault>[], fault: Fault, { times = Number.POSITIVE_INFINITY }: Repetition): Lift => {
    const armed = { fault, left: times };
    list.push(armed);
    return () => {
      armed.left = 0;
    };
  };
  const strike = <Fault>(
    list: Armed<Fault>[] = [],
    applies: (fault: Fault) => boolean = () => true,
  ): Fault | undefined => {
    const armed = list.find(({ fault, left }) => left > 0 && applies(fault));
    if (!armed) return undefined;
    armed.left--;
    return armed.fault;
  };

  return {
    /**
     * Lets functions fail instead of running them.
     *
     * @param match part of the handler, the name or the logical identifier: `job/begin`
     */
    lambda: (
      match: string,
      error: { readonly name: string; readonly message?: string },
      repetition: Repetition = {},
    ): Lift => {
      const matching = known.filter((fn) => [fn.handler, fn.name, fn.logicalId].some((text) => text.includes(match)));
      if (matching.length === 0)
        throw new Error(`no function matches ${match}; there are ${known.map(({ handler }) => handler).join(", ")}`);
      const failure = Object.assign(new Error(error.message ?? "a fault on purpose"), { name: error.name });
      const lifts = matching.map((fn) => {
        const list = ofFunctions.get(fn) ?? [];
        ofFunctions.set(fn, list);
        return arm(list, failure, repetition);
      });
      return () => {
        for (const lift of lifts) lift();
      };
    },
    /** Lets RunTask refuse: `ECS.AccessDeniedException`, or no capacity, which is what happens when nothing is said. */
    runTask: (
      { name = "AmazonECS.Unknown", message = '{"failures":[{"reason":"RESOURCE:MEMORY"}],"tasks":[]}' } = {},
      repetition: Repetition = {},
    ): Lift => arm(ofRunTask, new TaskFailure(name, message), repetition),
    dropHeartbeats: (fault: Partial<HeartbeatFault> = {}): Lift =>
      arm(ofHeartbeats, { answer: "accepted", ...fault }, fault),
    /** Lets each event come twice to each target, which EventBridge may do at any time. */
    deliverTwice: (repetition: Repetition = {}): Lift => arm(ofDeliveries, true, repetition),
    /** Lets a service answer an error to an action, named as policies name it: `dynamodb:PutItem`. */
    api: (action: string, fault: ApiFault): Lift => {
      const list = ofCalls.get(action) ?? [];
      ofCalls.set(action, list);
      return arm(list, fault, fault);
    },
    strikes: {
      lambda: (fn: DeployedFunction): Error | undefined => strike(ofFunctions.get(fn)),
      runTask: (): TaskFailure | undefined => strike(ofRunTask),
      heartbeat: (execution: string | undefined): HeartbeatFault | undefined =>
        strike(ofHeartbeats, (fault) => fault.execution === undefined || fault.execution === execution),
      delivery: (): true | undefined => strike(ofDeliveries),
      api: (action: string): ApiFault | undefined => strike(ofCalls.get(action)),
    },
  };
};

export type Faults = ReturnType<typeof faults>;
