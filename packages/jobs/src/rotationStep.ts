import { InvalidInputError } from "@openemr-ops/core/errors";
import type { RotationRequest } from "@openemr-ops/events/rotationRequest";
import { type ExecutionEnd, failureOf } from "./endExecution.ts";
import type { StartsExecutions } from "./startJob.ts";
import { WorkflowFailure } from "./workflowFailure.ts";

export interface RotationStepContext {
  /** ARN of the one secret, with or without the six characters at its end. */
  readonly secret: string;
  /** ARN of the workflow that rotates it. */
  readonly stateMachine: string;
  readonly installation: string;
}

export interface RotationStepPorts {
  readonly executions: StartsExecutions & {
    /** Undefined when there is none. */
    describe(executionArn: string): Promise<
      | {
          readonly status: string;
          readonly failure?: { readonly name: string; readonly message: string };
        }
      | undefined
    >;
  };
  /** Gives a text to the version that Secrets Manager opened. Safe to repeat. */
  readonly fillVersion: (token: string) => Promise<void>;
}

export interface RotationStep {
  readonly jobId: string;
  /** Of the job; `none` before it is started. */
  readonly state: "none" | "running" | "succeeded";
}

const isSecret = (named: string, secret: string): boolean =>
  named === secret || (named.startsWith(`${secret}-`) && /^[A-Za-z0-9]{6}$/.test(named.slice(secret.length + 1)));

const isFailed = (status: string): status is ExecutionEnd["status"] =>
  status === "FAILED" || status === "TIMED_OUT" || status === "ABORTED";

/**
 * One step of a rotation that Secrets Manager asks for. The job has the token as its name, so a repeated step is the same job.
 * The job writes its own versions of the secret; the version of the token only says that somebody asked.
 *
 * @throws {InvalidInputError} fatal: another secret, or the end of a rotation that was never started
 * @throws what the job failed with, under its name
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const rotationStep = async (
  { Step: step, SecretId, ClientRequestToken: token }: RotationRequest,
  { secret, stateMachine, installation }: RotationStepContext,
  { executions, fillVersion }: RotationStepPorts,
): Promise<RotationStep> => {
  if (!isSecret(SecretId, secret))
    throw new InvalidInputError([
      { path: "SecretId", message: `expected ${secret}, the secret of the database users of ${installation}` },
    ]);
  const job = async (): Promise<RotationStep> => {
    const execution = `${stateMachine.replace(":stateMachine:", ":execution:")}:${token}`;
    const found = await executions.describe(execution);
    if (!found) return { jobId: token, state: "none" };
    const { status, failure } = found;
    if (isFailed(status))
      throw new WorkflowFailure(failureOf({ status, error: failure?.name, cause: failure?.message }));
    return { jobId: token, state: status === "SUCCEEDED" ? "succeeded" : "running" };
  };
  if (step === "setSecret") {
    await executions.start({ stateMachineArn: stateMachine, name: token, input: {} });
    return job();
  }
  const seen = await job();
  // Once the job runs, versions are its own to write.
  if (step === "createSecret" && seen.state === "none") await fillVersion(token);
  if (step === "finishSecret" && seen.state === "none")
    throw new InvalidInputError([
      { path: "ClientRequestToken", message: `names no job of ${installation}; call setSecret first` },
    ]);
  return seen; // testSecret is also what tries a function when it is attached: there is no job then
};
