import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { isStage } from "@openemr-ops/core/names";
import { jobName } from "@openemr-ops/events/jobEvent";
import { type WorkflowKind, workflowKinds } from "@openemr-ops/events/jobKinds";

/** The workflow's step that this program does. */
export interface WorkflowPlace {
  readonly stage: string;
  /** The name of the execution. */
  readonly jobId: string;
  /** Which workflow; it may ask its containers for jobs of other kinds. */
  readonly kind: WorkflowKind;
  /** The token that the workflow waits for; never logged. */
  readonly token: string;
  readonly heartbeatSeconds: number;
}

/**
 * Reads it from the environment; nothing without a task token.
 *
 * @throws {InvalidInputError} fatal: a token without what belongs to it
 */
export const readPlace = (environment: Readonly<Record<string, string | undefined>>): WorkflowPlace | undefined => {
  const {
    OPENEMR_OPS_TASK_TOKEN: token,
    OPENEMR_OPS_STAGE: stage = "",
    OPENEMR_OPS_JOB_ID: jobId = "",
    OPENEMR_OPS_JOB_KIND: said = "",
    OPENEMR_OPS_HEARTBEAT_SECONDS: heartbeat = "10",
  } = environment;
  if (!token) return undefined;
  const issues: InputIssue[] = [];
  const complain = (path: string, message: string) => issues.push({ path, message });
  const heartbeatSeconds = Number(heartbeat);
  if (!isStage(stage))
    complain("OPENEMR_OPS_STAGE", "expected the stage of the workflow that gave the task token, such as production");
  if (!jobName.safeParse(jobId).success)
    complain("OPENEMR_OPS_JOB_ID", "expected the name of the execution that gave the task token");
  const kind = workflowKinds.find((known) => known === said);
  if (!kind)
    complain("OPENEMR_OPS_JOB_KIND", `expected ${workflowKinds.join(", ")}: which workflow gave the task token`);
  if (!Number.isInteger(heartbeatSeconds) || heartbeatSeconds < 1 || heartbeatSeconds > 300)
    complain("OPENEMR_OPS_HEARTBEAT_SECONDS", "expected a whole number of seconds from 1 to 300");
  if (!kind || issues.length > 0) throw new InvalidInputError(issues);
  return { stage, jobId, kind, token, heartbeatSeconds };
};
