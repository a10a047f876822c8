import { receiptRules } from "@openemr-ops/aws/receiptRules";
import { toOpsError } from "@openemr-ops/core/errors";
import { claimRuleSet, releaseRuleSet } from "@openemr-ops/mail/inbound/receiptRuleSet";
import * as z from "zod";
import { readVariable } from "../shared/environment.ts";
import { logged, logger, taskHandler } from "../shared/taskHandler.ts";

const region = readVariable(process.env, "AWS_REGION");

/** What CloudFormation gives to a function that stands for a resource. */
const request = z.object({
  RequestType: z.enum(["Create", "Update", "Delete"]),
  ResponseURL: z.url(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  PhysicalResourceId: z.string().optional(),
  ResourceProperties: z.object({ ruleSet: z.string() }),
});

/**
 * Claims SES's rule set for a stack that is made, and releases it for one that is deleted. The resource's identifier is the
 * rule set's name, so CloudFormation deletes only the one that it no longer needs. CloudFormation waits for the answer, which is
 * sent in every case.
 */
export const handler = taskHandler(request, async (asked): Promise<{ readonly answered: string }> => {
  const { RequestType, StackId, RequestId, LogicalResourceId, ResourceProperties, PhysicalResourceId } = asked;
  const sets = receiptRules({ region });
  const name = RequestType === "Delete" ? (PhysicalResourceId ?? "") : ResourceProperties.ruleSet;
  const answer = await (RequestType === "Delete" ? releaseRuleSet(sets, name) : claimRuleSet(sets, name)).then(
    (done) => {
      logger.info("receipt rule set", { ruleSet: name, done });
      return { Status: "SUCCESS" };
    },
    (error: unknown) => {
      const failure = toOpsError(error);
      logger.error("receipt rule set", { ruleSet: name, failure: logged(failure) });
      return { Status: "FAILED", Reason: `${failure.name}: ${failure.message}` };
    },
  );
  const body = JSON.stringify({ ...answer, StackId, RequestId, LogicalResourceId, PhysicalResourceId: name });
  // Signed for a request without a type.
  const response = await fetch(asked.ResponseURL, { method: "PUT", body, headers: { "content-type": "" } });
  if (!response.ok) throw new Error(`CloudFormation's address answers ${response.status}`);
  return { answered: answer.Status };
});
