import {
  CreateReceiptRuleSetCommand,
  DeleteReceiptRuleSetCommand,
  DescribeActiveReceiptRuleSetCommand,
  DescribeReceiptRuleSetCommand,
  SESClient,
  SetActiveReceiptRuleSetCommand,
} from "@aws-sdk/client-ses";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface ReceiptRulesSettings {
  readonly region: string;
  readonly client?: Pick<SESClient, "send">;
}

const isNamed = (error: unknown, name: string): boolean =>
  error instanceof Error && error.name.replace(/Exception$/, "") === name;

/** Rule sets of SES in a region. Errors: those of the control plane. */
export const receiptRules = ({ region, ...settings }: ReceiptRulesSettings) => {
  const client = onFirstUse(() => settings.client ?? new SESClient({ ...clientSettings, region }));
  const failed = (doing: string, action: string) => (error: unknown) => {
    throw controlPlaneFailure(error, doing, `ses:${action}`);
  };
  const setActive = async (RuleSetName: string | undefined): Promise<void> => {
    await client()
      .send(new SetActiveReceiptRuleSetCommand({ RuleSetName }))
      .catch(failed("activating a receipt rule set", "SetActiveReceiptRuleSet"));
  };
  return {
    /** The name of the one that receives the region's mail. */
    active: async (): Promise<string | undefined> => {
      const found = await client()
        .send(new DescribeActiveReceiptRuleSetCommand())
        .catch(failed("looking at the active receipt rule set", "DescribeActiveReceiptRuleSet"));
      return found.Metadata?.Name;
    },
    /** The names of its rules; undefined where there is none of this name. */
    rulesOf: async (name: string): Promise<readonly string[] | undefined> => {
      try {
        const { Rules = [] } = await client().send(new DescribeReceiptRuleSetCommand({ RuleSetName: name }));
        return Rules.flatMap((rule) => rule.Name ?? []);
      } catch (error) {
        if (isNamed(error, "RuleSetDoesNotExist")) return undefined;
        throw controlPlaneFailure(error, `looking at the receipt rule set ${name}`, "ses:DescribeReceiptRuleSet");
      }
    },
    create: async (name: string): Promise<void> => {
      try {
        await client().send(new CreateReceiptRuleSetCommand({ RuleSetName: name }));
      } catch (error) {
        if (!isNamed(error, "AlreadyExists"))
          throw controlPlaneFailure(error, `creating the receipt rule set ${name}`, "ses:CreateReceiptRuleSet");
      }
    },
    activate: setActive,
    deactivate: () => setActive(undefined),
    remove: async (name: string): Promise<void> => {
      await client()
        .send(new DeleteReceiptRuleSetCommand({ RuleSetName: name }))
        .catch(failed(`deleting the receipt rule set ${name}`, "DeleteReceiptRuleSet"));
    },
  };
};
