import { ReceiptRuleConflictError } from "@openemr-ops/core/errors";

/** The port to the rule sets of a region, one of which may be active: it receives all of the region's mail. */
export interface ReceiptRuleSets {
  active(): Promise<string | undefined>;
  /** The names of its rules; undefined where there is no such set. */
  rulesOf(name: string): Promise<readonly string[] | undefined>;
  /** Repeating is safe. */
  create(name: string): Promise<void>;
  activate(name: string): Promise<void>;
  deactivate(): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Names that this product gives. A set with another name is somebody else's, also where a rule of ours is in it. */
const isOurs = (name: string): boolean => /^openemr-ops(-|$)/.test(name);

/**
 * Makes sure that a rule set is there and active, before a rule goes into it. It activates one only where none is: another set's
 * rules receive mail that nobody may lose. Repeating is safe.
 *
 * @throws {ReceiptRuleConflictError} refused: another set is active; nothing was changed
 */
export const claimRuleSet = async (sets: ReceiptRuleSets, name: string): Promise<"activated" | "already active"> => {
  const active = await sets.active();
  if (active === name) return "already active";
  if (active !== undefined)
    throw new ReceiptRuleConflictError(
      `the receipt rule set ${active} is active in this region and receives its mail; nothing was changed: set mail.inbound.ruleSet to ${active}, so that our rule is added to it`,
      { field: "mail.inbound.ruleSet" },
    );
  await sets.create(name);
  await sets.activate(name);
  return "activated";
};

/** Removes a rule set that is ours and empty, once its last rule is gone. Every other one stays as it is. Repeating is safe. */
export const releaseRuleSet = async (sets: ReceiptRuleSets, name: string): Promise<"removed" | "kept"> => {
  const rules = await sets.rulesOf(name);
  if (!isOurs(name) || rules === undefined || rules.length > 0) return "kept";
  if ((await sets.active()) === name) await sets.deactivate();
  await sets.remove(name);
  return "removed";
};
