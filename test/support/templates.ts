import type { SynthesizedStack, TemplateResource } from "@openemr-ops/stacks/synthesize";

export interface FoundResource {
  readonly stack: string;
  readonly id: string;
  readonly resource: TemplateResource;
}

/** Every resource of these types, of all when none is named. */
export const resourcesOf = (
  stacks: readonly SynthesizedStack[],
  ...types: readonly string[]
): readonly FoundResource[] =>
  stacks.flatMap(({ name, template }) =>
    Object.entries(template.Resources)
      .filter(([, { Type }]) => types.length === 0 || types.includes(Type))
      .map(([id, resource]) => ({ stack: name, id, resource })),
  );

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const partsOf = (join: unknown): readonly unknown[] => (Array.isArray(join) && Array.isArray(join[1]) ? join[1] : []);

/**
 * A template's value as one text: joins are joined, and what only a deployment knows stands in angle brackets under the
 * name it has in the template.
 */
export const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (!isObject(value)) return JSON.stringify(value);
  if (value.Ref === "AWS::Partition") return "aws";
  if (typeof value.Ref === "string") return `<${value.Ref}>`;
  if (value["Fn::Join"] !== undefined) return partsOf(value["Fn::Join"]).map(textOf).join("");
  if (Array.isArray(value["Fn::GetAtt"])) return `<${value["Fn::GetAtt"].join(".")}>`;
  if (typeof value["Fn::ImportValue"] === "string")
    return `<${value["Fn::ImportValue"].replace(/^.*:ExportsOutput/, "")}>`;
  return JSON.stringify(value);
};

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: Readonly<Record<string, unknown>>;
}

const statementsIn = (document: unknown): readonly Statement[] =>
  listOf(isObject(document) ? document.Statement : undefined)
    .filter(isObject)
    .map(({ Effect, Action, Resource, Condition }) => ({
      effect: textOf(Effect),
      actions: listOf(Action).map(textOf),
      resources: listOf(Resource).map(textOf),
      condition: isObject(Condition) ? Condition : {},
    }));

/** What a role may do, by the name of the construct that made it, such as `DumpRole` or `DumpInstallationRole`. */
export const rightsOf = (stacks: readonly SynthesizedStack[], stack: string, role: string): readonly Statement[] => {
  const found = resourcesOf(
    stacks.filter(({ name }) => name.endsWith(stack)),
    "AWS::IAM::Policy",
  ).filter(({ id }) => new RegExp(`^${role}DefaultPolicy[0-9A-F]{8}$`).test(id));
  if (found.length === 0) throw new Error(`${stack} has no policy of ${role}`);
  return found.flatMap(({ resource }) => statementsIn(resource.Properties?.PolicyDocument));
};

/** A state of a workflow as far as tests look at it. */
export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Next?: string;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly Next: string;
    readonly ResultPath: string | null;
  }[];
  readonly TimeoutSeconds?: number;
  readonly HeartbeatSeconds?: number;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly ErrorPath?: string;
  readonly CausePath?: string;
}

export interface Machine {
  readonly name: string;
  readonly definition: {
    readonly StartAt: string;
    readonly TimeoutSeconds: number;
    readonly States: Readonly<Record<string, State>>;
  };
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Every workflow, its definition read. */
export const machinesOf = (stacks: readonly SynthesizedStack[]): readonly Machine[] =>
  resourcesOf(stacks, "AWS::StepFunctions::StateMachine").map(({ resource: { Properties = {} } }) => ({
    name: textOf(Properties.StateMachineName),
    definition: JSON.parse(textOf(Properties.DefinitionString)),
    properties: Properties,
  }));
