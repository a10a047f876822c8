import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  accountStacks,
  bootstrapStackName,
  bootstrapTemplate,
  cdkBucket,
  profileUsed,
} from "@openemr-ops/aws/bootstrap/bootstrapStack";
import { ControlPlaneMissingError, exitCodeOf, ToolFailedError, toOpsError } from "@openemr-ops/core/errors";
import { deploymentRegion } from "./stacks/region.ts";

const help = `Prepares an account for deployments, once for each region. Safe to repeat.

npm run bootstrap -- [--region name] [--profile name]

It creates the stack CDKToolkit with CDK's own command, unless it exists, and the stack ${bootstrapStackName}, which holds nothing.
Without --region, AWS_REGION or AWS_DEFAULT_REGION names the region.
`;

const say = (line: string): void => void process.stderr.write(`bootstrap: ${line}\n`);

const bootstrapCdk = async (account: string, region: string, profile: string | undefined): Promise<void> => {
  const program = join(import.meta.dirname, "node_modules/aws-cdk/bin/cdk");
  const place = `aws://${account}/${region}`;
  const args = [
    "bootstrap",
    place,
    "--no-version-reporting",
    "--no-notices",
    ...(profile ? ["--profile", profile] : []),
  ];
  const env = { ...process.env, AWS_REGION: region, AWS_DEFAULT_REGION: region };
  const [status] = await once(spawn(process.execPath, [program, ...args], { stdio: "inherit", env }), "close");
  if (status !== 0) throw new ToolFailedError(`cdk bootstrap failed (exit status ${status}); its messages are above`);
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { region: { type: "string" }, profile: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) return void process.stdout.write(help);
  const region = deploymentRegion(values.region, process.env);
  const profile = profileUsed(values.profile, process.env);
  const stacks = accountStacks({ region, profile });
  if ((await cdkBucket(stacks)) === undefined) await bootstrapCdk(await stacks.account(), region, profile);
  const bucket = await cdkBucket(stacks);
  if (bucket === undefined)
    throw new ControlPlaneMissingError(`the stack CDKToolkit in ${region} has no bucket; look at it in CloudFormation`);
  if (!(await stacks.outputs(bootstrapStackName))) await stacks.create(bootstrapStackName, bootstrapTemplate(bucket));
  say(`${region} is ready for deployments`);
};

try {
  await main();
} catch (error) {
  const named = toOpsError(error);
  say(`${named.name}: ${named.message}`);
  process.exitCode = exitCodeOf(named);
}
