import { InvalidInputError } from "@openemr-ops/core/errors";
import {
  type Json,
  type JsonObject,
  listAt,
  maybeList,
  maybeObject,
  maybeText,
  objectAt,
  oneOrSeveral,
} from "../json.ts";

/** One statement of an identity's policy. */
export interface Statement {
  /** Where it is in the templates, for people. */
  readonly from: string;
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: readonly Condition[];
}

interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** What is known of a call beside its action and its resource, by condition key; absent keys are unknown. */
export type CallContext = Readonly<Record<string, string | readonly string[]>>;

const expressions = new Map<string, RegExp>();

/** Whether a text fits a pattern of IAM: `*` for any letters, `?` for one. */
export const fits = (pattern: string, text: string, flags = ""): boolean => {
  const key = `${flags}/${pattern}`;
  let expression = expressions.get(key);
  if (!expression) {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    expression = new RegExp(`^${escaped}$`, `s${flags}`);
    expressions.set(key, expression);
  }
  return expression.test(text);
};

/** By operator: whether one value of the call satisfies one value of the condition. */
const operators: Readonly<Record<string, (wanted: string, found: string) => boolean>> = {
  StringEquals: (wanted, found) => wanted === found,
  StringEqualsIgnoreCase: (wanted, found) => wanted.toLowerCase() === found.toLowerCase(),
  StringLike: (wanted, found) => fits(wanted, found),
  ArnEquals: (wanted, found) => fits(wanted, found),
  ArnLike: (wanted, found) => fits(wanted, found),
  Bool: (wanted, found) => wanted.toLowerCase() === found.toLowerCase(),
};
const negations: Readonly<Record<string, string>> = {
  StringNotEquals: "StringEquals",
  StringNotLike: "StringLike",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
};

const operatorOf = (written: string) => {
  const [, set = "", bare = ""] = /^(?:(ForAnyValue|ForAllValues):)?(.*?)(?:IfExists)?$/.exec(written) ?? [];
  const positive = negations[bare];
  return {
    set,
    test: operators[positive ?? bare],
    negated: positive !== undefined,
    ifExists: written.endsWith("IfExists"),
  };
};

const holds = ({ operator, key, values }: Condition, context: CallContext): boolean => {
  const { set, test, negated, ifExists } = operatorOf(operator);
  const found = context[key];
  if (found === undefined) return ifExists || negated || set === "ForAllValues";
  const one = (value: string) => values.some((wanted) => test?.(wanted, value)) !== negated;
  const all = typeof found === "string" ? [found] : found;
  return set === "ForAllValues" ? all.every(one) : all.some(one);
};

const conditionsOf = (written: Json | undefined, from: string): Condition[] =>
  Object.entries(maybeObject(written)).flatMap(([operator, keys]) => {
    if (!operatorOf(operator).test)
      throw new InvalidInputError([
        { path: from, message: `has a condition by ${operator}, which the local cloud cannot judge` },
      ]);
    return Object.entries(maybeObject(keys)).map(([key, value]) => ({ operator, key, values: oneOrSeveral(value) }));
  });

/** @throws {InvalidInputError} a part of the policy language that is not known here */
export const statementsOf = (document: Json | undefined, from: string): readonly Statement[] => {
  const { Statement: written } = objectAt(document, from);
  return (Array.isArray(written) ? written : [written]).map((item, index) => {
    const where = `${from}[${index}]`;
    const statement = objectAt(item, where);
    for (const unknown of ["NotAction", "NotResource", "NotPrincipal"])
      if (unknown in statement)
        throw new InvalidInputError([{ path: where, message: `says ${unknown}, which the local cloud does not know` }]);
    return {
      from: where,
      effect: statement.Effect === "Deny" ? "Deny" : "Allow",
      actions: oneOrSeveral(statement.Action),
      resources: oneOrSeveral(statement.Resource),
      conditions: conditionsOf(statement.Condition, where),
    };
  });
};

/** The grant that decided. Without one, nothing granted the call. */
export type Verdict = {
  readonly allowed: boolean;
  readonly by?: { readonly statement: Statement; readonly action: string };
};

/** IAM's rule: a fitting Deny refuses, else a fitting Allow allows, else the call is refused. */
export const judge = (
  statements: readonly Statement[],
  { action, resource, context }: { readonly action: string; readonly resource: string; readonly context: CallContext },
): Verdict => {
  let allowed: Verdict = { allowed: false };
  for (const statement of statements) {
    const granted = statement.actions.find((pattern) => fits(pattern, action, "i"));
    if (granted === undefined || !statement.resources.some((pattern) => fits(pattern, resource))) continue;
    if (!statement.conditions.every((condition) => holds(condition, context))) continue;
    const by = { statement, action: granted };
    if (statement.effect === "Deny") return { allowed: false, by };
    if (!allowed.allowed) allowed = { allowed: true, by };
  }
  return allowed;
};

/** Policies of AWS's own that roles of a template may name, with the actions that matter here. */
export const awsManagedPolicies: Readonly<Record<string, readonly string[]>> = {
  "service-role/AWSLambdaBasicExecutionRole": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
  "service-role/AWSLambdaVPCAccessExecutionRole": [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
  ],
  AWSXRayDaemonWriteAccess: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
};

/** The policies that a role carries in its own properties. */
export const roleStatements = (
  properties: JsonObject,
  from: string,
  customerManaged: ReadonlyMap<string, readonly Statement[]>,
): readonly Statement[] => [
  ...maybeList(properties.Policies).flatMap((policy) =>
    statementsOf(maybeObject(policy).PolicyDocument, `${from}.${maybeText(maybeObject(policy).PolicyName)}`),
  ),
  ...listAt(properties.ManagedPolicyArns ?? [], from).flatMap((arn): readonly Statement[] => {
    const name = String(arn).split(":policy/")[1] ?? "";
    const actions = awsManagedPolicies[name];
    const own = customerManaged.get(String(arn));
    if (own) return own;
    if (!actions)
      throw new InvalidInputError([
        { path: from, message: `names the policy ${String(arn)}, which is not known here` },
      ]);
    return [{ from: `${from}.${name}`, effect: "Allow", actions, resources: ["*"], conditions: [] }];
  }),
];
