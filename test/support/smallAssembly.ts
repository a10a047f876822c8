import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Written = Readonly<Record<string, unknown>>;

export const smallAccount = "111122223333";
export const smallRegion = "eu-west-1";

export interface SmallStack {
  readonly resources: Written;
  readonly outputs?: Written;
}

/** An assembly written by hand: stacks by name, code of functions by asset. Removed at the end of its scope. */
export const aSmallAssembly = async (
  stacks: Readonly<Record<string, SmallStack>>,
  code: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly directory: string }> => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-small-"));
  const write = (name: string, content: unknown) => writeFile(join(directory, name), JSON.stringify(content));
  for (const [name, source] of Object.entries(code)) {
    await mkdir(join(directory, `asset.${name}`));
    await writeFile(join(directory, `asset.${name}`, "index.mjs"), source);
  }
  const files = Object.fromEntries(
    Object.keys(code).map((name) => [
      name,
      { source: { path: `asset.${name}`, packaging: "zip" }, destinations: { here: { objectKey: `${name}.zip` } } },
    ]),
  );
  const artifacts: Record<string, unknown> = {
    assets: { type: "cdk:asset-manifest", properties: { file: "assets.json" } },
  };
  await write("assets.json", { files });
  for (const [name, { resources, outputs = {} }] of Object.entries(stacks)) {
    await write(`${name}.template.json`, { Resources: resources, Outputs: outputs });
    artifacts[name] = {
      type: "aws:cloudformation:stack",
      environment: `aws://${smallAccount}/${smallRegion}`,
      properties: { templateFile: `${name}.template.json` },
    };
  }
  await write("manifest.json", { artifacts });
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
};

export const arnOf = (logicalId: string) => ({ "Fn::GetAtt": [logicalId, "Arn"] });

/** A role for a service with what it may do. */
export const aRole = (service: string, ...statements: readonly Written[]) => ({
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: { Statement: [{ Effect: "Allow", Principal: { Service: service } }] },
    Policies: [
      {
        PolicyName: "own",
        PolicyDocument: { Statement: statements.map((statement) => ({ Effect: "Allow", ...statement })) },
      },
    ],
  },
});

/** A function whose bundle is the asset, under the role with this logical identifier. */
export const aFunction = (asset: string, role: string, properties: Written = {}) => ({
  Type: "AWS::Lambda::Function",
  Properties: {
    Code: { S3Bucket: "assets", S3Key: `${asset}.zip` },
    Handler: "index.handler",
    Runtime: "nodejs24.x",
    Role: arnOf(role),
    Timeout: 20,
    ...properties,
  },
});

/** A machine with its definition as text, references of templates in it followed. */
export const aMachine = (role: string, definition: unknown, references: Written = {}) => ({
  Type: "AWS::StepFunctions::StateMachine",
  Properties: {
    RoleArn: arnOf(role),
    DefinitionString: { "Fn::Sub": [JSON.stringify(definition), references] },
  },
});
