import * as z from "zod";
import { jobName } from "./jobEvent.ts";

/**
 * What Secrets Manager sends to a rotation function; it may add fields. Source:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html.
 */
export const rotationRequest = z.object(
  {
    Step: z.enum(["createSecret", "setSecret", "testSecret", "finishSecret"], {
      error: "expected createSecret, setSecret, testSecret or finishSecret",
    }),
    SecretId: z.string({ error: "expected the ARN of a secret" }),
    /** Also the identifier of the version that Secrets Manager opened. */
    ClientRequestToken: jobName,
  },
  { error: "expected what Secrets Manager sends to a rotation function" },
);
export type RotationRequest = z.output<typeof rotationRequest>;
