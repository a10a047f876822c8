import { randomUUID } from "node:crypto";
import type { DeployedRule, Deployment, RuleTarget } from "./deployment.ts";
import { type EventPattern, eventPattern, targetInput } from "./eventPattern.ts";
import type { Json, JsonObject } from "./json.ts";

/** An event as its sender words it. */
export interface SentEvent {
  /** Name of the bus. */
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: JsonObject;
  readonly resources?: readonly string[];
  readonly time?: Date;
}

/** Gives an event to one target of a rule; not to wait for what the target makes of it. */
export type Deliver = (rule: DeployedRule, target: RuleTarget, input: Json) => void;

/** An event as it went over a bus. */
export type SeenEvent = SentEvent & { readonly id: string };

/** Buses with the rules of the templates. */
export const eventBuses = ({ rules, buses, account, region }: Deployment, deliver: Deliver) => {
  const byBus = new Map<string, { readonly rule: DeployedRule; readonly fits: EventPattern }[]>(
    [...buses].map((name) => [name, []]),
  );
  for (const rule of rules) {
    const fits = eventPattern(rule.pattern, rule.name);
    if (rule.enabled) byBus.get(rule.bus)?.push({ rule, fits });
  }
  const seen: SeenEvent[] = [];

  /** @returns the event's identifier; nothing where no such bus is */
  const put = (sent: SentEvent): string | undefined => {
    const matchers = byBus.get(sent.bus);
    if (!matchers) return undefined;
    const id = randomUUID();
    seen.push({ ...sent, id });
    const event: JsonObject = {
      version: "0",
      id,
      "detail-type": sent.detailType,
      source: sent.source,
      account,
      time: (sent.time ?? new Date()).toISOString().replace(/\.\d+Z$/, "Z"),
      region,
      resources: [...(sent.resources ?? [])],
      detail: sent.detail,
    };
    for (const { rule, fits } of matchers)
      if (fits(event)) for (const target of rule.targets) deliver(rule, target, targetInput(event, target));
    return id;
  };

  return { put, seen: (): readonly SeenEvent[] => seen };
};

export type EventBuses = ReturnType<typeof eventBuses>;
