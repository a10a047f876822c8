import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { RotatedSmtp, SmtpRotationPlan } from "@openemr-ops/mail/rotation/smtpRotation";
import type { Place, Program } from "../program.ts";
import { requirePart } from "./rotationContext.ts";

export interface RotateSmtpPlan extends SmtpRotationPlan {
  readonly dryRun: true;
}
export type RotateSmtpResult = RotatedSmtp & { readonly seconds: number };

const rotationOf = async (place: Place): Promise<never> => {
  const { server } = requirePart(place, "smtp");
  throw new RotationRefusedError(`the credentials of ${server.host} cannot be rotated by this release`);
};

export const rotateSmtp: Program<"rotateSmtp", RotateSmtpPlan, RotateSmtpResult> = {
  plan: rotationOf,
  run: rotationOf,
};
