import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import { isStage } from "@openemr-ops/core/names";
import { readAssembly } from "@openemr-ops/local-cloud/assembly";
import { deploymentOf } from "@openemr-ops/local-cloud/deployment";
import type { Call } from "@openemr-ops/local-cloud/iam/calls";
import { judge, type Statement } from "@openemr-ops/local-cloud/iam/policy";
import { synthesize } from "@openemr-ops/stacks/synthesize";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";

const place = { region: "eu-central-1", account: "123456789012" };

interface RoleOfStack {
  readonly name: string;
  /** Whose it is: an installation, or nothing where it is the control plane's. */
  readonly installation: string | undefined;
  readonly statements: readonly Statement[];
}

/** Names that are the beginnings and the ends of others. */
const installations = ["a", "a-b", "b-a"];

let directory: string;
let demo: readonly RoleOfStack[];

const rolesOf = async (stage: string): Promise<readonly RoleOfStack[]> => {
  const { installations: samples, ...rest } = JSON.parse(await readFile(sampleConfigPath, "utf8"));
  const { cluster } = samples[0].platform;
  const text = JSON.stringify(samples[0]);
  const config = {
    ...rest,
    installations: installations.map((id, index) => ({
      ...JSON.parse(
        text
          .replaceAll("clinic-a/", `${id}/`)
          .replaceAll("clinic-a-smtp", `${id}-smtp`)
          .replaceAll("clinic-a-received-mail", `${id}-received-mail`)
          .replaceAll("clinic-a.example.org", `${id}.example.org`)
          .replaceAll("clinic-a.cluster-", `${id}.cluster-`)
          .replaceAll('"cluster":"clinic-a"', `"cluster":"${id}"`)
          .replaceAll("fs-0a1a1a1a1a1a1a1a1", `fs-0a1a1a1a1a1a1a1a${index}`),
      ),
      id,
      platform: { ...samples[0].platform, cluster: cluster.replace(/[^/]+$/, id) },
      dumps: {
        ...samples[0].dumps,
        destination: `s3://shared-dumps/${stage}/${id}`,
        password: secretOf(id, "repository"),
        copies: [{ ...samples[0].dumps.copies[0], destination: `s3://shared-copies/${stage}/${id}` }],
      },
    })),
  };
  const file = join(directory, `${stage}.json`);
  await writeFile(file, JSON.stringify(config));
  const outdir = join(directory, stage);
  const imageUri = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0";
  const { directory: assembly } = await synthesize({
    config: await loadConfig(file),
    stage,
    ...place,
    outdir,
    imageUri,
  });
  return [...deploymentOf(readAssembly(assembly), place).roles.values()].map(({ name, statements }) => ({
    name,
    installation: installations
      .toSorted((one, other) => other.length - one.length)
      .find((id) => name.includes(`InstallationStack-${id}-`)),
    statements,
  }));
};

const secretOf = (id: string, what: string): string =>
  `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${id}/${what}-AaBbCc`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-neighbours-"));
  demo = await rolesOf("demo");
}, 400_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A name that a pattern fits. */
const example = (pattern: string): string => pattern.replaceAll("*", "x").replaceAll("?", "A");

/** Calls that a role may make, one for each thing that a statement of it names. */
const callsOf = ({ statements }: RoleOfStack): readonly Call[] =>
  statements.flatMap(({ actions, resources, conditions }) => {
    const several = Math.max(1, ...conditions.map(({ values }) => values.length));
    const contexts = Array.from({ length: several }, (_, index) =>
      Object.fromEntries(conditions.map(({ key, values }) => [key, example(values[index % values.length] ?? "")])),
    );
    return actions.flatMap((action) =>
      resources.flatMap((resource) => contexts.map((context) => ({ action, resource: example(resource), context }))),
    );
  });

const mayDo = ({ statements }: RoleOfStack, call: Call): boolean => judge(statements, call).allowed;

const worded = (role: RoleOfStack, { action, resource, context }: Call): string =>
  `${role.name}: ${action} on ${resource} with ${JSON.stringify(context)}`;

describe("rights of one installation", () => {
  /** What all of a stage share: its functions, its key under DynamoDB or a queue, the queue itself, an image, and what AWS narrows for nobody. */
  const shared =
    /^(lambda:InvokeFunction|sqs:SendMessage|ecr:\w+|ecs:DescribeTaskDefinition|xray:\w+|logs:(Create|Delete|Get|List|Update)LogDelivery|logs:ListLogDeliveries|logs:Describe\w+|logs:PutResourcePolicy)$/;
  const sharedBucket = /^arn:aws:s3:::shared-(dumps|copies)$/;
  const isShared = ({ action, resource, context }: Call): boolean =>
    shared.test(action) ||
    // A region has one active rule set, and SES knows no resources for them; the rules in it are CloudFormation's.
    /^ses:(\w+ReceiptRuleSet)$/.test(action) ||
    // While a task of one's own definition is started, and not after: it has no identifier yet, only its cluster.
    (action === "ecs:TagResource" && context["ecs:CreateAction"] === "RunTask") ||
    (action.startsWith("kms:") && /^(dynamodb|sqs)\./.test(String(context["kms:ViaService"]))) ||
    // RDS names the secrets of its clusters itself; without the right to read one, its key opens nothing.
    (action === "kms:Decrypt" && /:secret:rds!cluster-/.test(String(context["kms:EncryptionContext:SecretARN"]))) ||
    (action === "s3:GetBucketLocation" && sharedBucket.test(resource)) ||
    (action.startsWith("kms:") && sharedBucket.test(String(context["kms:EncryptionContext:aws:s3:arn"])));

  it("reach nothing that is another one's, however their names are alike", () => {
    const roles = demo.filter(({ installation }) => installation !== undefined);
    expect(new Set(roles.map(({ installation }) => installation)).size).toBe(installations.length);
    const reached = roles.flatMap((role) =>
      roles
        .filter(({ installation }) => installation !== role.installation)
        .flatMap((other) => callsOf(other).filter((call) => !isShared(call) && mayDo(role, call)))
        .map((call) => worded(role, call)),
    );
    expect([...new Set(reached)]).toEqual([]);
  });
});

describe("rights of one stage", () => {
  // Not demo-x: rights name a workflow of any installation, so no stage may continue another's name with a hyphen.
  it("rest on names that no other stage continues", () => {
    expect(isStage("demo-x")).toBe(false);
  });

  it.each(["demox", "dem", "dev-demo"])("demo reach nothing that is called after %s", (stage) => {
    const renamed = (text: string) => text.replace(/openemr-ops-demo\b/, `openemr-ops-${stage}`);
    const calls = demo
      .flatMap(callsOf)
      .map((call) => ({ ...call, resource: renamed(call.resource) }))
      .filter(({ resource }) => resource.includes(`openemr-ops-${stage}`));
    expect(calls.length).toBeGreaterThan(100);
    const reached = demo.flatMap((role) => calls.filter((call) => mayDo(role, call)).map((call) => worded(role, call)));
    expect([...new Set(reached)]).toEqual([]);
  });
});
