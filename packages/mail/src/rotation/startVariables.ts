import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { StartVariable, StartVariables } from "@openemr-ops/core/startVariables";

/** OpenEMR's containers write these into its settings when they start. */
const variables = { user: "OPENEMR_SETTING_SMTP_USER", password: "OPENEMR_SETTING_SMTP_PASS" } as const;

/** Places that a rotation keeps in step. */
export interface PlacesInStep {
  /** ARN of the secret with `username` and `password`; not set, it is a file. */
  readonly secret?: string;
  readonly userParameter?: string;
}

/** An ARN in a task definition may lack the six characters that Secrets Manager adds. */
const isSecret = (named: string, arn: string | undefined): boolean =>
  arn !== undefined && (named === arn || named === arn.replace(/-[A-Za-z0-9]{6}$/, ""));

const isParameter = (named: string, name: string | undefined): boolean =>
  name !== undefined && named.replace(/^\//, "") === name.replace(/^\//, "");

const isInStep = ({ name, from }: StartVariable, { secret, userParameter }: PlacesInStep): boolean => {
  switch (from.kind) {
    case "text":
      return false;
    case "parameter":
      return name === variables.user && isParameter(from.name, userParameter);
    case "secret":
      return (
        isSecret(from.arn, secret) &&
        from.version === undefined &&
        from.key === (name === variables.user ? "username" : "password")
      );
  }
};

const placeOf = ({ from }: StartVariable): string => {
  switch (from.kind) {
    case "text":
      return "the text in the task definition";
    case "parameter":
      return `the parameter ${from.name}`;
    case "secret": {
      const key = from.key === undefined ? "as a whole" : `field ${from.key}`;
      return `the secret ${from.arn} (${key}${from.version === undefined ? "" : `, version ${from.version}`})`;
    }
  }
};

/**
 * Looks whether OpenEMR's containers get the SMTP login when they start, and from where: a place that the rotation does not
 * keep in step would bring the old login back with the next deployment.
 *
 * @returns whether they do, so that a new deployment has to start with the new login
 * @throws {RotationRefusedError} a container gets it from another place; the message names variable and place
 */
export const fedByContainers = async (containers: StartVariables, places: PlacesInStep): Promise<boolean> => {
  const found = await containers.read(Object.values(variables));
  const wrong = found.find((variable) => !isInStep(variable, places));
  if (wrong)
    throw new RotationRefusedError(
      `the container ${wrong.container} gets ${wrong.name} from ${placeOf(wrong)}, which a rotation does not change, and would write the old login back when it starts; remove the variable, or take it from ${wrong.name === variables.user ? "rotations.smtp.inStep.userParameter, or field username of rotations.smtp.secret" : "field password of rotations.smtp.secret"}`,
    );
  return found.length > 0;
};
