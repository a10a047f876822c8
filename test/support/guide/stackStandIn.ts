/** A stack that somebody created in the account. */
export interface CreatedStack {
  readonly name: string;
  /** As it was sent: JSON or YAML. */
  readonly template: string;
  status: string;
}

/** The fields of a request of CloudFormation's API. */
export type Form = Readonly<Record<string, string>>;

export interface StackStandIn {
  /** Every template that a stack was created from, in order; those of stacks that are gone too. */
  readonly created: readonly CreatedStack[];
  /** XML; undefined where another answers: moto creates what is not ours. */
  answer(form: Form): Promise<string | undefined>;
}

interface KnownStack extends CreatedStack {
  readonly id: string;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const tag = (name: string, content: string): string => `<${name}>${content}</${name}>`;
const moment = tag("Timestamp", "2026-01-01T00:00:00Z");

const reply = (action: string, content = ""): string =>
  tag(`${action}Response`, tag(`${action}Result`, content) + tag("ResponseMetadata", tag("RequestId", "stand-in")));

/** An error of CloudFormation's; the status is 400. */
export class StackError extends Error {
  override readonly name = "StackError";
}
const missing = (name: string): StackError => new StackError(`Stack with id ${name} does not exist`);

/** Clients name a stack by its name, or by the ARN that they got for it. */
export const nameOf = ({ StackName = "" }: Form): string =>
  StackName.startsWith("arn:") ? (StackName.split("/")[1] ?? "") : StackName;

const outputsOf = (template: string): string => {
  const { Outputs = {} }: { Outputs?: Readonly<Record<string, { readonly Value: unknown }>> } = JSON.parse(template);
  const members = Object.entries(Outputs).map(([key, { Value }]) => {
    const value = typeof Value === "string" ? Value : `value-of-${key}`;
    return tag("member", tag("OutputKey", key) + tag("OutputValue", escaped(value)));
  });
  return tag("Outputs", members.join(""));
};

/**
 * CloudFormation as far as deploying goes: it takes templates, keeps them, and says that all is created. Two kinds of stacks are
 * moto's instead, which creates what is in them: OpenEMR's, and CDK's bootstrap, whose bucket and roles a deployment uses.
 *
 * @param create lets moto create a stack
 * @param templateAt the text of a template in S3
 */
export const stackStandIn = ({
  place,
  create,
  templateAt,
}: {
  readonly place: string;
  readonly create: (form: Form) => Promise<void>;
  readonly templateAt: (url: string) => Promise<string>;
}): StackStandIn => {
  const created: CreatedStack[] = [];
  const stacks = new Map<string, KnownStack>();
  const changeSets = new Map<string, Form>();

  const idOf = (name: string): string => `arn:aws:cloudformation:${place}:stack/${name}/stand-in`;
  const changeSetId = (name: string): string => `arn:aws:cloudformation:${place}:changeSet/${name}/stand-in`;
  /** What clients name a change set by: its name, or the ARN that they got for it. */
  const changeSetOf = ({ ChangeSetName = "" }: Form): string =>
    ChangeSetName.startsWith("arn:") ? (ChangeSetName.split("/")[1] ?? "") : ChangeSetName;
  const ofMoto = (name: string): boolean => name === "CDKToolkit" || name === "OpenemrEcsStack";
  const templateOf = async ({ TemplateBody, TemplateURL = "" }: Form): Promise<string> =>
    TemplateBody ?? (await templateAt(TemplateURL));

  const found = (form: Form): KnownStack => {
    const stack = stacks.get(nameOf(form));
    if (!stack || stack.status === "DELETE_COMPLETE") throw missing(nameOf(form));
    return stack;
  };
  const put = async (form: Form, status: string): Promise<void> => {
    const name = nameOf(form);
    const template = await templateOf(form);
    const stack = { id: idOf(name), name, template, status };
    created.push(stack);
    stacks.set(name, stack);
  };
  const shown = ({ id, name, status, template }: KnownStack): string =>
    tag(
      "member",
      tag("StackId", id) +
        tag("StackName", name) +
        tag("StackStatus", status) +
        tag("CreationTime", "2026-01-01T00:00:00Z") +
        outputsOf(template),
    );

  const actions: Readonly<Record<string, (form: Form) => Promise<string | undefined> | string | undefined>> = {
    CreateChangeSet: (form) => {
      const name = form.ChangeSetName ?? "";
      changeSets.set(name, form);
      return reply("CreateChangeSet", tag("Id", changeSetId(name)) + tag("StackId", idOf(nameOf(form))));
    },
    DescribeChangeSet: (form) =>
      reply(
        "DescribeChangeSet",
        tag("ChangeSetName", changeSetOf(form)) +
          tag("ChangeSetId", changeSetId(changeSetOf(form))) +
          tag("StackId", idOf(nameOf(form))) +
          tag("Status", "CREATE_COMPLETE") +
          tag("ExecutionStatus", "AVAILABLE") +
          tag("CreationTime", "2026-01-01T00:00:00Z") +
          tag("Changes", tag("member", tag("Type", "Resource"))),
      ),
    ExecuteChangeSet: async (form) => {
      const set = changeSets.get(changeSetOf(form));
      if (!set) throw new StackError(`ChangeSet [${form.ChangeSetName}] does not exist`);
      const name = nameOf(set);
      if (!ofMoto(name)) await put(set, `${set.ChangeSetType}_COMPLETE`);
      else {
        created.push({ name, template: await templateOf(set), status: "CREATE_COMPLETE" });
        await create({ ...set, Action: "CreateStack", StackName: name });
      }
      return reply("ExecuteChangeSet");
    },
    DeleteChangeSet: () => reply("DeleteChangeSet"),
    CreateStack: async (form) => {
      const old = stacks.get(nameOf(form));
      if (old && old.status !== "DELETE_COMPLETE") throw new StackError(`Stack [${nameOf(form)}] already exists`);
      await put(form, "CREATE_COMPLETE");
      return reply("CreateStack", tag("StackId", idOf(nameOf(form))));
    },
    UpdateStack: async (form) => {
      if (found(form).template === (await templateOf(form))) throw new StackError("No updates are to be performed.");
      await put(form, "UPDATE_COMPLETE");
      return reply("UpdateStack", tag("StackId", idOf(nameOf(form))));
    },
    DeleteStack: (form) => {
      const stack = stacks.get(nameOf(form));
      if (stack) stack.status = "DELETE_COMPLETE";
      return reply("DeleteStack");
    },
    DescribeStacks: (form) => {
      if (nameOf(form) === "") {
        const all = [...stacks.values()].filter(({ status }) => status !== "DELETE_COMPLETE");
        return reply("DescribeStacks", tag("Stacks", all.map(shown).join("")));
      }
      return reply("DescribeStacks", tag("Stacks", shown(found(form))));
    },
    DescribeStackEvents: (form) =>
      reply(
        "DescribeStackEvents",
        tag("StackEvents", tag("member", tag("StackId", found(form).id) + tag("EventId", "1") + moment)),
      ),
    DescribeStackResources: (form) => {
      const { template, status } = found(form);
      const { Resources }: { Resources: Readonly<Record<string, { readonly Type: string }>> } = JSON.parse(template);
      const members = Object.entries(Resources).map(([id, { Type }]) =>
        tag(
          "member",
          tag("LogicalResourceId", id) + tag("ResourceType", Type) + tag("ResourceStatus", status) + moment,
        ),
      );
      return reply("DescribeStackResources", tag("StackResources", members.join("")));
    },
    ListImports: (form) => {
      throw new StackError(`Export '${form.ExportName}' is not imported by any stack.`);
    },
  };

  return {
    created,
    answer: async (form) => {
      const { Action = "" } = form;
      if (ofMoto(nameOf(form)) && !Action.endsWith("ChangeSet")) return undefined;
      const action = actions[Action];
      if (!action) throw new StackError(`the stand-in does not know ${Action}`);
      return action(form);
    },
  };
};
