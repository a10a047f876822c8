import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startIdentityStub } from "./identityStub.ts";
import { repositoryRoot } from "./repositoryRoot.ts";

const { values } = parseArgs({
  options: {
    config: { type: "string", default: join(repositoryRoot, "stacks/sample.config.json") },
    stage: { type: "string", default: "sample" },
    region: { type: "string" },
    account: { type: "string", default: "123456789012" },
    to: { type: "string", default: join(repositoryRoot, ".sst/dist") },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(`Writes the CloudFormation templates that a deployment would take; asks AWS nothing.

npm run synth -- [--config file] [--stage name] [--region name] [--account digits] [--to directory]

Without --region, AWS_REGION or AWS_DEFAULT_REGION names the region. The sample configuration is for eu-central-1.

A configuration that discovers an installation needs AWS: npx sst build --stage name --to directory
`);
  process.exit(0);
}

const region = values.region === undefined ? [] : ["--region", values.region];

/** Runs the real `sst build` without access to AWS. */
await using stub = await startIdentityStub(values.account);
const build = spawn(
  process.execPath,
  [
    join(repositoryRoot, "node_modules/sst/cli/sst.js"),
    "build",
    ...["--stage", values.stage, ...region, "--to", values.to],
  ],
  {
    cwd: repositoryRoot,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      AWS_ENDPOINT_URL: stub.url,
      AWS_ACCESS_KEY_ID: "none",
      AWS_SECRET_ACCESS_KEY: "none",
      OPENEMR_OPS_CONFIG: values.config,
      SST_TELEMETRY_DISABLED: "1",
      SST_BUILD_CONCURRENCY: process.env.SST_BUILD_CONCURRENCY ?? "4",
    },
  },
);
const [status] = await once(build, "close");
for (const call of stub.unanswered) process.stderr.write(`synth: AWS was asked ${call}, which has no answer here\n`);
process.exitCode = status === 0 && stub.unanswered.length === 0 ? 0 : 1;
