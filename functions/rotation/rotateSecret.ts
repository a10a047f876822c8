import { executions } from "@openemr-ops/aws/executions";
import { fillOpenedVersion } from "@openemr-ops/aws/openedVersion";
import { rotationRequest } from "@openemr-ops/events/rotationRequest";
import { rotationStep } from "@openemr-ops/jobs/rotationStep";
import { requestedText } from "@openemr-ops/rotation/database/slots";
import { readVariable } from "../shared/environment.ts";
import { logger, taskHandler } from "../shared/taskHandler.ts";

const context = {
  secret: readVariable(process.env, "OPENEMR_OPS_SECRET"),
  stateMachine: readVariable(process.env, "OPENEMR_OPS_WORKFLOW"),
  installation: readVariable(process.env, "OPENEMR_OPS_INSTALLATION"),
};
const ports = {
  executions: executions(),
  fillVersion: fillOpenedVersion(context.secret, (current) => requestedText(current, context.secret)),
};

/** What Secrets Manager calls when a person chooses to rotate the secret of the database users: it starts the workflow. */
export const handler = taskHandler(rotationRequest, async (request) => {
  const step = await rotationStep(request, context, ports);
  logger.info("rotation step", { step: request.Step, ...step });
  return step;
});
