import type { SynthesizedStack } from "@openemr-ops/stacks/synthesize";

/** The largest of each in a stage. */
export interface Measured {
  readonly "resources of a stack": number;
  readonly "bytes of a template": number;
  readonly "outputs of a stack": number;
  readonly "characters of a role's own policies": number;
  readonly "characters of a managed policy": number;
  readonly "characters of a key's policy": number;
  readonly "metrics of a widget": number;
  readonly "metrics of a dashboard": number;
  readonly "characters of a search": number;
  readonly "rules of a bus": number;
  readonly "bytes of a workflow": number;
  readonly "bytes of a function's variables": number;
  readonly "stacks of a stage": number;
}

/** As long as an ARN may be, for what only a deployment knows. */
const unknown = "x".repeat(140);

type Value = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Value =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value of a template after its deployment, as far as lengths are concerned. */
const deployed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(deployed);
  if (!isObject(value)) return value;
  const { "Fn::Join": joined } = value;
  if (Array.isArray(joined))
    return (joined[1] as unknown[]).map((part) => String(deployed(part))).join(String(joined[0]));
  if (value.Ref === "AWS::Partition") return "aws-us-gov";
  if (Object.keys(value).some((key) => key === "Ref" || key.startsWith("Fn::"))) return unknown;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, deployed(item)]));
};

const length = (value: unknown): number => JSON.stringify(deployed(value)).length;
const largest = (numbers: readonly number[]): number => Math.max(0, ...numbers);

/** Reads out of templates what AWS has quotas for. */
export const measure = (stacks: readonly SynthesizedStack[]): Measured => {
  const resources = stacks.flatMap(({ name, template }) =>
    Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => ({
      stack: name,
      id,
      Type,
      Properties,
    })),
  );
  const of = (...types: readonly string[]) => resources.filter(({ Type }) => types.includes(Type));
  const ofRole = new Map<string, number>();
  for (const { stack, Properties } of of("AWS::IAM::Policy"))
    for (const role of Properties.Roles as readonly unknown[]) {
      const key = `${stack} ${JSON.stringify(role)}`;
      ofRole.set(key, (ofRole.get(key) ?? 0) + length(Properties.PolicyDocument));
    }
  const dashboards = of("AWS::CloudWatch::Dashboard").map(({ Properties }) => {
    const body: {
      readonly widgets: readonly { readonly properties: { readonly metrics: readonly (readonly unknown[])[] } }[];
    } = JSON.parse(String(deployed(Properties.DashboardBody)));
    return body.widgets.map(({ properties }) => properties.metrics);
  });
  const searches = dashboards
    .flat(2)
    .flatMap(([first]) => (isObject(first) && "expression" in first ? [String(first.expression)] : []));
  const templates = stacks.map(({ template }) => template);
  return {
    "resources of a stack": largest(templates.map(({ Resources }) => Object.keys(Resources).length)),
    "bytes of a template": largest(
      templates.map((template) => Buffer.byteLength(JSON.stringify(template, undefined, 1))),
    ),
    "outputs of a stack": largest(templates.map(({ Outputs = {} }) => Object.keys(Outputs).length)),
    "characters of a role's own policies": largest([...ofRole.values()]),
    // No stack has one: the least that a policy says.
    "characters of a managed policy": largest([
      1,
      ...of("AWS::IAM::ManagedPolicy").map(({ Properties }) => length(Properties.PolicyDocument)),
    ]),
    "characters of a key's policy": largest(of("AWS::KMS::Key").map(({ Properties }) => length(Properties.KeyPolicy))),
    "metrics of a widget": largest(dashboards.flat().map((metrics) => metrics.length)),
    "metrics of a dashboard": largest(dashboards.map((widgets) => widgets.flat().length)),
    "characters of a search": largest(searches.map((text) => text.length)),
    "rules of a bus": of("AWS::Events::Rule").length,
    "bytes of a workflow": largest(
      of("AWS::StepFunctions::StateMachine").map(
        ({ Properties }) => String(deployed(Properties.DefinitionString)).length,
      ),
    ),
    "bytes of a function's variables": largest(
      of("AWS::Lambda::Function").map(({ Properties }) =>
        Object.entries((Properties.Environment as { readonly Variables: object }).Variables)
          .map(([name, value]) => name.length + String(deployed(value)).length)
          .reduce((sum, length) => sum + length, 0),
      ),
    ),
    "stacks of a stage": stacks.length,
  };
};
