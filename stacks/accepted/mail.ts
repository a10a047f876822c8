import type { Stack } from "aws-cdk-lib";
import { accept } from "./accept.ts";
import {
  answersCloudFormation,
  messagesOfArchive,
  outsideVpc,
  ownRights,
  ruleSetsAndTraces,
  sharedConcurrency,
  traces,
} from "./findings.ts";

/** What is accepted in an installation's stack for its section `mail`. */
export const acceptInMail = (stack: Stack): void => {
  accept(stack, "ForwardMailRole/DefaultPolicy/Resource", ownRights, traces, messagesOfArchive);
  accept(stack, "ForwardMail/Resource", outsideVpc("S3, DynamoDB, SQS and SES"), sharedConcurrency);
  accept(stack, "ReceiptRuleSetClaimRole/DefaultPolicy/Resource", ownRights, ruleSetsAndTraces);
  accept(
    stack,
    "ReceiptRuleSetClaim/Resource",
    outsideVpc("SES and CloudFormation"),
    sharedConcurrency,
    answersCloudFormation,
  );
};
