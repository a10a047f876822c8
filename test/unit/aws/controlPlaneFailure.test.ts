import { controlPlaneFailure } from "@openemr-ops/aws/controlPlaneFailure";
import {
  ControlPlaneAccessDeniedError,
  ControlPlaneMissingError,
  ControlPlaneUnavailableError,
  InstallationBusyError,
  InvalidInputError,
  RetryableError,
  UnexpectedError,
} from "@openemr-ops/core/errors";
import { describe, expect, it } from "vitest";

/** An answer of AWS as the SDK throws it. */
const answer = (name: string, httpStatusCode = 400): Error =>
  Object.assign(new Error("canary-text of the service"), { name, $metadata: { httpStatusCode } });

const name = (error: unknown) => controlPlaneFailure(error, "reading the job 01K in a-table", "dynamodb:GetItem on it");

describe("a failure of the control plane's services", () => {
  it.each([
    ["ThrottlingException", 400],
    ["ProvisionedThroughputExceededException", 400],
    ["RequestLimitExceeded", 400],
    ["TooManyRequestsException", 429],
    ["KmsThrottlingException", 400],
    ["ExecutionLimitExceeded", 400],
    ["InternalServerError", 500],
    ["Unknown", 503],
  ])("may be tried again after %s", (code, status) => {
    expect(name(answer(code, status))).toBeInstanceOf(ControlPlaneUnavailableError);
    expect(name(answer(code, status))).toBeInstanceOf(RetryableError);
  });

  it.each(["ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT", "CERT_HAS_EXPIRED"])("may be tried again after %s", (code) => {
    const failure = name(Object.assign(new Error("no answer"), { code }));
    expect(failure).toBeInstanceOf(ControlPlaneUnavailableError);
    expect(failure.message).toContain(code);
  });

  it("may be tried again when no answer comes in time", () => {
    expect(name(Object.assign(new Error("no answer"), { name: "TimeoutError" }))).toBeInstanceOf(
      ControlPlaneUnavailableError,
    );
  });

  it.each([
    ["AccessDeniedException", 400],
    ["KmsAccessDeniedException", 400],
    ["AccessDenied", 403],
    ["UnauthorizedOperation", 403],
    ["Unknown", 403],
  ])("names the right that is missing on %s", (code, status) => {
    const failure = name(answer(code, status));
    expect(failure).toBeInstanceOf(ControlPlaneAccessDeniedError);
    expect(failure.message).toContain("allow this role dynamodb:GetItem on it");
  });

  it.each(["CredentialsProviderError", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"])(
    "asks for credentials on %s",
    (code) => {
      const failure = name(answer(code));
      expect(failure).toBeInstanceOf(ControlPlaneAccessDeniedError);
      expect(failure.message).toContain("valid AWS credentials");
    },
  );

  it.each(["ResourceNotFoundException", "StateMachineDoesNotExist"])("says what is not deployed on %s", (code) => {
    const failure = name(answer(code));
    expect(failure).toBeInstanceOf(ControlPlaneMissingError);
    expect(failure.message).toContain("reading the job 01K in a-table");
  });

  it("names the variable that says the region", () => {
    expect(name(new Error("Region is missing"))).toMatchObject({ issues: [{ path: "AWS_REGION" }] });
    expect(name(new Error("Region is missing"))).toBeInstanceOf(InvalidInputError);
  });

  it("keeps the original as its cause and its text out of the message", () => {
    for (const error of [answer("ThrottlingException"), answer("AccessDenied"), answer("ValidationException")]) {
      const failure = name(error);
      expect(failure.cause).toBe(error);
      expect(failure.message).not.toContain("canary-text");
    }
  });

  it("is unforeseen when nothing tells what it means", () => {
    expect(name(answer("ValidationException"))).toBeInstanceOf(UnexpectedError);
    expect(name("a text")).toBeInstanceOf(UnexpectedError);
  });

  it("stays what it is when it has a name of ours", () => {
    const busy = new InstallationBusyError("held by another");
    expect(name(busy)).toBe(busy);
  });
});
