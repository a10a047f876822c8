import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import { outsideVpc, ownRights, setsAside, sharedConcurrency, traces, unknownKey } from "./findings.ts";

/** What is accepted in the stack of notifications. */
export const acceptInNotifications = (stack: Stack): void => {
  accept(stack, "Notifications/Resource", setsAside);
  accept(stack, "NotifySlackRole/DefaultPolicy/Resource", ownRights, traces, unknownKey);
  accept(stack, "NotifySlack/Resource", outsideVpc("DynamoDB, Secrets Manager and Slack"), sharedConcurrency);
};
