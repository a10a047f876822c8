import type { InputOf } from "@openemr-ops/events/jobKinds";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { planSmtpRotation, retireSmtp, rotateSmtp as rotate, switchSmtp } from "@openemr-ops/mail/rotation/rotateSmtp";
import type { RotatedSmtp, SmtpRotation, SmtpRotationPlan } from "@openemr-ops/mail/rotation/smtpRotation";
import { fedByContainers } from "@openemr-ops/mail/rotation/startVariables";
import { mailServer } from "@openemr-ops/mail/smtp/mailServer";
import type { Place, Program } from "../program.ts";
import { openStoredSecret } from "../storedSecrets.ts";
import { mailOfSites, type SmtpSettings } from "./mailContext.ts";
import { requirePart, wait } from "./rotationContext.ts";

interface Redeployed {
  /** OpenEMR's containers get the login when they start: a new deployment has to prove that it is the new one. */
  readonly redeploy: boolean;
}
export interface RotateSmtpPlan extends SmtpRotationPlan, Redeployed {
  readonly dryRun: true;
}
export interface RotateSmtpResult extends Omit<RotatedSmtp, "accessKeyId">, Redeployed {
  /** `null`: there was nothing to rotate. */
  readonly accessKeyId: string | null;
  readonly seconds: number;
}

/** Where parameters are: beside the secret. */
const regionOf = ({ secret, region }: SmtpSettings): string =>
  (secret.kind === "aws" ? secret.arn.split(":")[3] : undefined) ?? region;

const inStepOf = async (smtp: SmtpSettings, index: number): Promise<SmtpRotation["inStep"]> => {
  const { secretAccessKey, userParameter: name } = smtp.inStep;
  const field = `installations[${index}].rotations.smtp.inStep.userParameter`;
  return {
    ...(secretAccessKey ? { secretAccessKey: await openStoredSecret(secretAccessKey) } : {}),
    ...(name === undefined
      ? {}
      : {
          userParameter: (await import("@openemr-ops/aws/ssmParameter")).ssmParameter({
            name,
            field,
            region: regionOf(smtp),
          }),
        }),
  };
};

const rotationOf = async (place: Place, soakMinutes: number | undefined): Promise<SmtpRotation> => {
  const smtp = requirePart(place, "smtp");
  const { config, installation, progress, warn, signal, now } = place;
  const { iamAccessKeys } = await import("@openemr-ops/aws/iamAccessKeys");
  return {
    accessKeys: iamAccessKeys({ user: smtp.iamUser, region: smtp.region }),
    secret: await openStoredSecret(smtp.secret),
    inStep: await inStepOf(
      smtp,
      config.installations.findIndex(({ id }) => id === installation.id),
    ),
    regions: [smtp.region, ...smtp.otherRegions],
    server: mailServer(smtp.server),
    testMessage: smtp.testMessage,
    sites: await mailOfSites(place),
    soakMinutes: soakMinutes ?? smtp.soakMinutes,
    settleSeconds: smtp.settleSeconds,
    wait,
    progress,
    warn,
    signal,
    now,
  };
};

/** Looks before anything is changed. @throws {RotationRefusedError} a deployment would bring the old login back */
const isFedByContainers = async (place: Place): Promise<boolean> => {
  const { platform } = place.installation;
  if (platform.kind !== "ecs") return false;
  const { secret, inStep } = requirePart(place, "smtp");
  const { ecsVariables } = await import("@openemr-ops/aws/ecsVariables");
  return fedByContainers(ecsVariables(platform), {
    ...(secret.kind === "aws" ? { secret: secret.arn } : {}),
    ...(inStep.userParameter === undefined ? {} : { userParameter: inStep.userParameter }),
  });
};

const carryOut = (rotation: SmtpRotation, phase: InputOf<"rotateSmtp">["phase"]): Promise<RotatedSmtp> => {
  switch (phase) {
    case "all":
      return rotate(rotation);
    case "switch":
      return switchSmtp(rotation);
    case "retire":
      return retireSmtp(rotation);
  }
};

/** The workflow asks for this text. */
const needed = (redeploy: boolean): TaskReport["result"] => (redeploy ? { redeploy: "needed" } : {});

const planReport = ({ accessKeyId, sites, steps, redeploy }: RotateSmtpPlan): TaskReport => ({
  figures: { sites: sites.length, changes: steps.length },
  result: { ...(accessKeyId ? { accessKeyId } : {}), ...needed(redeploy) },
});

/** Whole ones: a workflow waits for them. */
const secondsUntil = (moment: string, now: Date): number =>
  Math.max(0, Math.ceil((Date.parse(moment) - now.getTime()) / 1000));

const report = (done: RotateSmtpResult, now: Date): TaskReport => {
  const { accessKeyId, previous, writtenTo, healed, testMessageId, state, soakEnds, redeploy, seconds } = done;
  return {
    figures: {
      sites: writtenTo.length,
      healed: healed.length,
      seconds,
      ...(soakEnds === undefined ? {} : { soakSeconds: secondsUntil(soakEnds, now) }),
    },
    result: {
      ...(accessKeyId === null ? {} : { accessKeyId }),
      ...(previous === undefined ? {} : { previous }),
      ...(testMessageId === undefined ? {} : { testMessageId }),
      state,
      ...(soakEnds === undefined ? {} : { soakEnds }),
      ...needed(redeploy),
    },
  };
};

export const rotateSmtp: Program<"rotateSmtp", RotateSmtpPlan, RotateSmtpResult> = {
  plan: async (place, { soakMinutes }) => {
    const redeploy = await isFedByContainers(place);
    const planned = await planSmtpRotation(await rotationOf(place, soakMinutes));
    const result: RotateSmtpPlan = { dryRun: true, ...planned, redeploy };
    return { result, report: planReport(result) };
  },
  run: async (place, { phase, soakMinutes }) => {
    const began = place.now().getTime();
    const rotation = await rotationOf(place, soakMinutes);
    const redeploy = phase === "retire" ? false : await isFedByContainers(place);
    const { accessKeyId, ...done } = await carryOut(rotation, phase);
    const result: RotateSmtpResult = {
      accessKeyId: accessKeyId === "" ? null : accessKeyId,
      ...done,
      redeploy: redeploy && done.testMessageId !== undefined,
      seconds: (place.now().getTime() - began) / 1000,
    };
    return { result, report: report(result, place.now()) };
  },
};
