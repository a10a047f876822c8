import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeployedFunction, DeployedRule, Deployment, RuleTarget } from "./deployment.ts";
import type { Faults } from "./faults.ts";
import { type AsyncOutcome, type FunctionHost, functionHost } from "./functions.ts";
import type { AccessControl, Principal } from "./iam/accessControl.ts";
import { keyCallsOf } from "./iam/calls.ts";
import { fits, judge } from "./iam/policy.ts";
import type { Json } from "./json.ts";
import type { MotoClient } from "./motoState.ts";
import { queueFeeds } from "./queueFeeds.ts";
import { findFunction } from "./taskStates.ts";

/** The end of a message of a schedule: done by its function, failed at every attempt, or not delivered. */
export type Fired = AsyncOutcome | "undelivered";

/** A message that ended in a queue for what could not be done. */
export interface DeadLetter {
  readonly queue: string;
  readonly body: Json;
  readonly at: Date;
}

export interface DeliveryOptions {
  readonly deployment: Deployment;
  readonly access: AccessControl;
  readonly faults: Faults;
  readonly moto: MotoClient;
  readonly directory: string;
  readonly retryScale: number;
  readonly environmentOf: (fn: DeployedFunction) => Readonly<Record<string, string>>;
}

/** Whether somebody may act, and who; without a role it is a service of AWS's own. */
export const principalOf = (name: string, role: string | undefined): Principal => ({ name, ...(role ? { role } : {}) });

/** Brings events and schedules' messages to functions, and what fails for good to its queue. */
export const delivery = (options: DeliveryOptions) => {
  const { access, deployment, directory, environmentOf, faults, moto, retryScale } = options;
  const letters: DeadLetter[] = [];
  const underWay = new Set<Promise<unknown>>();
  let closed = false;

  const later = (work: Promise<unknown>): void => {
    const counted = work.finally(() => underWay.delete(counted));
    underWay.add(counted);
    counted.catch(() => undefined);
  };

  const sendTo = async (queueArn: string, body: Json, principal: Principal): Promise<void> => {
    const queue = deployment.queues.get(queueArn);
    if (!queue) return;
    const send = { action: "sqs:SendMessage", resource: queueArn, context: {} };
    const needed = [send, ...(queue.key ? keyCallsOf("sqs", queue.key, deployment) : [])];
    if (!needed.every((call) => access.allows(principal, call))) return;
    letters.push({ queue: queue.name, body, at: new Date() });
    await moto.sendMessage(queue.name, JSON.stringify(body));
  };

  const functions: FunctionHost = functionHost({
    directory,
    retryScale,
    environmentOf,
    parallel: 4,
    processes: 16,
    faultOf: faults.strikes.lambda,
    sendTo: (queue, body, fn) => sendTo(queue, body, principalOf(`function ${fn.name}`, fn.role)),
  });

  const mayCall = (rule: DeployedRule, fn: DeployedFunction): boolean =>
    deployment.permissions.some(
      ({ function: called, principal, sourceArn }) =>
        called === fn.arn && principal === "events.amazonaws.com" && (!sourceArn || fits(sourceArn, rule.arn)),
    );

  const feeds = queueFeeds({ deployment, access, functions, retryScale });

  /** A queue's own policy says which rules may send to it. Statements that refuse plain HTTP are judged as over TLS. */
  const maySend = (rule: DeployedRule, queue: string): boolean => {
    const context = {
      "aws:SourceArn": rule.arn,
      "aws:SourceAccount": deployment.account,
      "aws:SecureTransport": "true",
    };
    return deployment.queuePolicies.some(
      (policy) =>
        policy.queue === queue &&
        judge(policy.statements, { action: "sqs:SendMessage", resource: queue, context }).allowed,
    );
  };

  /** Gives an event to a rule's target. Nobody waits for it; it may come twice, as events do. */
  const deliver = (rule: DeployedRule, target: RuleTarget, input: Json): void => {
    if (closed) return;
    const fn = findFunction(deployment, target.arn);
    const bring =
      fn && mayCall(rule, fn)
        ? () => later(functions.invokeLater(fn, input))
        : maySend(rule, target.arn)
          ? feeds.entrance(target.arn, target.messageGroup)
          : undefined;
    if (bring) {
      bring(input, later);
      if (faults.strikes.delivery()) bring(input, later);
    } else if (target.deadLetterQueue) {
      later(sendTo(target.deadLetterQueue, input, principalOf(`rule ${rule.name}`, undefined)));
    }
  };

  /** Lets a schedule, `group/name`, come due. Resolves when its function is done with it, retries included. */
  const fireSchedule = async (key: string, dueAt: Date): Promise<Fired> => {
    const schedule = deployment.schedules.get(key);
    if (!schedule)
      throw new Error(`there is no schedule ${key}; there are ${[...deployment.schedules.keys()].join(", ")}`);
    const { arn, deadLetterQueue, input, retries, role } = schedule.target;
    const principal = principalOf(`schedule ${key}`, role);
    const execution = randomUUID();
    const message = (attempt: number): Json => {
      const known: Record<string, string> = {
        "scheduled-time": dueAt.toISOString().replace(/\.\d+Z$/, "Z"),
        "schedule-arn": schedule.arn,
        "execution-id": execution,
        "attempt-number": String(attempt),
      };
      const said = input.replaceAll(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => known[name] ?? whole);
      return JSON.parse(said);
    };
    const fn = findFunction(deployment, arn);
    const call = { action: "lambda:InvokeFunction", resource: arn, context: {} };
    for (let attempt = 1; attempt <= retries + 1; attempt++) {
      // A right that lacks now lacks then: what Scheduler tries for a day is not tried so long here.
      if (!fn || !access.allows(principal, call)) break;
      if (!faults.strikes.api("scheduler:Deliver")) {
        const work = functions.invokeLater(fn, message(attempt));
        later(work);
        return work;
      }
      await sleep(60_000 * retryScale);
    }
    if (deadLetterQueue) await sendTo(deadLetterQueue, message(retries + 1), principal);
    return "undelivered";
  };

  return {
    functions,
    later,
    deliver,
    fireSchedule,
    feed: feeds.entrance,
    letters: (): readonly DeadLetter[] => letters,
    /** Work that nobody waits for. */
    underWay: underWay as ReadonlySet<Promise<unknown>>,
    close: async (): Promise<void> => {
      closed = true;
      feeds.close();
      await functions.close();
    },
  };
};
