import { InvalidInputError } from "@openemr-ops/core/errors";
import type { Assembly, StackTemplate } from "./assembly.ts";
import { isObject, type Json, type JsonObject, listAt, maybeObject, maybeText, objectAt, textAt } from "./json.ts";
import { type Identity, type Place, resourceTypes } from "./resourceTypes.ts";

/** A resource with its name and its properties, all references followed. */
export interface ResolvedResource extends Identity {
  readonly type: string;
  readonly logicalId: string;
  readonly stack: string;
  readonly properties: JsonObject;
}

const intrinsics = ["Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::Select", "Fn::Split", "Fn::ImportValue"] as const;

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

/** Looks through a whole value for words of CloudFormation that are not in the list above. */
const refuseUnknown = (value: Json, path: string): void => {
  if (typeof value === "string" && value.includes("{{resolve:"))
    refuse(path, "holds a dynamic reference ({{resolve:…}}), which the local cloud does not follow");
  if (Array.isArray(value)) for (const [index, item] of value.entries()) refuseUnknown(item, `${path}[${index}]`);
  if (!isObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (key.startsWith("Fn::") && !intrinsics.some((known) => known === key))
      refuse(path, `uses ${key}, which the local cloud does not know`);
    refuseUnknown(item, `${path}.${key}`);
  }
};

const refuseUnknownResource = (resource: JsonObject, path: string): void => {
  const type = textAt(resource.Type, `${path}.Type`);
  if (!(type in resourceTypes)) refuse(path, `is a ${type}, which the local cloud does not know`);
  if (resource.Condition !== undefined && type !== "AWS::CDK::Metadata")
    refuse(path, "depends on a condition, which the local cloud does not judge");
  refuseUnknown(resource.Properties ?? {}, `${path}.Properties`);
};

const join = ([separator, parts]: Json[], path: string): string =>
  listAt(parts, path).map(String).join(textAt(separator, path));

/** Follows the references of all stacks of an assembly. */
class References {
  readonly #stacks: ReadonlyMap<string, StackTemplate>;
  readonly #place: Place;
  readonly #identities = new Map<string, ResolvedResource>();
  readonly #beingResolved = new Set<string>();
  readonly #exports = new Map<string, () => Json>();

  constructor({ stacks }: Assembly, place: Place) {
    this.#stacks = new Map(stacks.map((stack) => [stack.name, stack]));
    this.#place = place;
    for (const { name: stack, template } of stacks) {
      for (const [id, output] of Object.entries(maybeObject(template.Outputs))) {
        const { Value = "", Export } = objectAt(output, `${stack}.Outputs.${id}`);
        const path = `${stack}.Outputs.${id}`;
        refuseUnknown(Value, path);
        const name = maybeObject(Export).Name;
        if (name !== undefined)
          this.#exports.set(textAt(this.value(stack, name, path), path), () => this.value(stack, Value, path));
      }
    }
  }

  resource(stack: string, logicalId: string): ResolvedResource {
    const key = `${stack}.${logicalId}`;
    const known = this.#identities.get(key);
    if (known) return known;
    if (this.#beingResolved.has(key)) refuse(key, "refers to itself");
    this.#beingResolved.add(key);
    const written = objectAt(maybeObject(this.#stacks.get(stack)?.template.Resources)[logicalId], key);
    const type = textAt(written.Type, key);
    const identify = resourceTypes[type] ?? refuse(key, `is a ${type}, which the local cloud does not know`);
    // A name may be asked for before the properties that refer back to it can be resolved.
    const names = Object.entries(maybeObject(written.Properties)).filter(([name]) =>
      /Name$|^Family$|^VpcId$|^FifoQueue$/.test(name),
    );
    const place = { ...this.#place, stack, logicalId };
    const named = Object.fromEntries(names.map(([name, value]) => [name, this.value(stack, value, `${key}.${name}`)]));
    const references = this;
    let properties: JsonObject | undefined;
    const resolved: ResolvedResource = {
      ...identify({ ...place, properties: named }),
      type,
      logicalId,
      stack,
      get properties() {
        properties ??= objectAt(references.value(stack, written.Properties ?? {}, key), key);
        return properties;
      },
    };
    this.#identities.set(key, resolved);
    this.#beingResolved.delete(key);
    return resolved;
  }

  #pseudo(stack: string, name: string, path: string): string {
    const { account, region } = this.#place;
    const known: Readonly<Record<string, string>> = {
      "AWS::AccountId": account,
      "AWS::Region": region,
      "AWS::Partition": "aws",
      "AWS::URLSuffix": "amazonaws.com",
      "AWS::StackName": stack,
      "AWS::StackId": `arn:aws:cloudformation:${region}:${account}:stack/${stack}/local`,
    };
    return known[name] ?? refuse(path, `refers to ${name}, which the local cloud does not know`);
  }

  #ref(stack: string, name: string, path: string): string {
    if (name.startsWith("AWS::")) return this.#pseudo(stack, name, path);
    const parameter = maybeObject(this.#stacks.get(stack)?.template.Parameters)[name];
    if (parameter === undefined) return this.resource(stack, name).ref;
    const { Type, Default } = objectAt(parameter, path);
    if (maybeText(Type)?.startsWith("AWS::SSM::"))
      refuse(path, `refers to ${name}, a value of Parameter Store, which the local cloud does not keep`);
    return textAt(Default, `${path}: the parameter ${name} has no default`);
  }

  #attribute(stack: string, id: string, attribute: string, path: string): string {
    const { attributes, type } = this.resource(stack, id);
    return (
      attributes[attribute] ?? refuse(path, `asks ${id} (${type}) for ${attribute}, which the local cloud cannot tell`)
    );
  }

  #sub(stack: string, argument: Json, path: string): string {
    const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
    const own = maybeObject(variables);
    return textAt(text, path).replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) => {
      if (name.startsWith("!")) return `\${${name.slice(1)}}`;
      if (own[name] !== undefined) return String(this.value(stack, own[name], path));
      if (whole.includes(".") && !name.startsWith("AWS::")) {
        const [id = "", ...attribute] = name.split(".");
        return this.#attribute(stack, id, attribute.join("."), path);
      }
      return this.#ref(stack, name, path);
    });
  }

  /** What the stacks answer to whoever deployed them. */
  outputs(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#stacks.values()].flatMap(({ name, template }) =>
        Object.entries(maybeObject(template.Outputs)).map(([id, output]): [string, string] => {
          const path = `${name}.Outputs.${id}`;
          return [`${name}.${id}`, String(this.value(name, objectAt(output, path).Value ?? "", path))];
        }),
      ),
    );
  }

  /** The value with every intrinsic carried out. */
  value(stack: string, value: Json, path: string): Json {
    if (Array.isArray(value)) return value.map((item) => this.value(stack, item, path));
    if (!isObject(value)) return value;
    const entries = Object.entries(value);
    const [[name = "", argument = null] = []] = entries;
    if (entries.length !== 1 || !intrinsics.some((known) => known === name))
      return Object.fromEntries(entries.map(([key, item]) => [key, this.value(stack, item, `${path}.${key}`)]));
    if (name === "Ref") return this.#ref(stack, textAt(argument, path), path);
    if (name === "Fn::Sub") return this.#sub(stack, argument, path);
    const resolved = this.value(stack, argument, path);
    switch (name) {
      case "Fn::GetAtt": {
        const [id = "", ...attribute] = typeof resolved === "string" ? resolved.split(".") : listAt(resolved, path);
        return this.#attribute(stack, String(id), attribute.join("."), path);
      }
      case "Fn::Join":
        return join(listAt(resolved, path), path);
      case "Fn::Select": {
        const [index, items] = listAt(resolved, path);
        return listAt(items, path)[Number(index)] ?? refuse(path, "selects what is not there");
      }
      case "Fn::Split": {
        const [separator, text] = listAt(resolved, path);
        return textAt(text, path).split(textAt(separator, path));
      }
      default: {
        const exported = this.#exports.get(textAt(resolved, path));
        return exported ? exported() : refuse(path, `imports ${String(resolved)}, which no stack exports`);
      }
    }
  }
}

/** Every output of an assembly's stacks, as `stack.output`. */
export const outputsOf = (assembly: Assembly, place: Place): ReadonlyMap<string, string> =>
  new References(assembly, place).outputs();

/**
 * Every resource of an assembly with its name, its ARN and its properties.
 *
 * @throws {InvalidInputError} a type or an intrinsic that is not in the written list, or a reference to nothing
 */
export const resolveTemplates = (assembly: Assembly, place: Place): readonly ResolvedResource[] => {
  for (const { name, template } of assembly.stacks)
    for (const [id, resource] of Object.entries(maybeObject(template.Resources)))
      refuseUnknownResource(objectAt(resource, `${name}.${id}`), `${name}.${id}`);
  const references = new References(assembly, place);
  return assembly.stacks.flatMap(({ name, template }) =>
    Object.keys(maybeObject(template.Resources)).map((id) => references.resource(name, id)),
  );
};
