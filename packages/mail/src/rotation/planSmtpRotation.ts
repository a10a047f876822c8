import { contextOf } from "./decideNow.ts";
import { decideSmtp, type SmtpDecision } from "./decideSmtp.ts";
import { lookAtSmtp, type SeenSmtp } from "./lookAtSmtp.ts";
import type { SmtpRotation, SmtpRotationPlan, SmtpStep } from "./smtpRotation.ts";
import { proveSites } from "./switchSmtp.ts";

/** What would be seen once what a stopped run left is cleared away. */
const cleared = (seen: SeenSmtp, decision: SmtpDecision): SeenSmtp | undefined => {
  const without = (ids: readonly string[]) => seen.keys.filter(({ id }) => !ids.includes(id));
  if (decision.next === "clean") return { ...seen, keys: without(decision.orphans) };
  if (decision.next !== "goBack") return undefined;
  const { accessKeyId, retiring } = decision.change;
  const back = { user: retiring.accessKeyId, password: retiring.password };
  const sites = seen.sites.map((site) =>
    site.mail.user === accessKeyId ? { ...site, mail: { ...site.mail, ...back } } : site,
  );
  return { ...seen, keys: without([accessKeyId]), sites };
};

const toCurrent: readonly SmtpStep[] = [
  "logIn",
  "writeIntoOpenEmr",
  "sendTestMessage",
  "makePasswordCurrent",
  "deactivateKey",
];

const stepsOf = (r: SmtpRotation, decision: SmtpDecision): readonly SmtpStep[] => {
  const end: readonly SmtpStep[] = ["lookAgain", "deleteKey"];
  const after = r.soakMinutes > 0 ? [] : end;
  if (decision.next === "rotate") return ["createKey", "storePassword", ...toCurrent, ...after];
  if (decision.next === "continue") return [...toCurrent, ...after];
  if (decision.next !== "settle") return [];
  const { former, change } = decision;
  if (former?.active) return ["deactivateKey", ...after];
  const { deactivatedAt } = change.retiring;
  const over = deactivatedAt !== undefined && r.now().getTime() >= Date.parse(deactivatedAt) + r.soakMinutes * 60_000;
  return over ? end : ["lookAgain"];
};

/**
 * Shows what `rotateSmtp` would do. It reads, and tries the login that the sites have; nothing is changed.
 *
 * @throws as `rotateSmtp` does before its first change
 */
export const planSmtpRotation = async (r: SmtpRotation): Promise<SmtpRotationPlan> => {
  let seen = await lookAtSmtp(r);
  let decision = decideSmtp(seen, contextOf(r));
  for (let next = cleared(seen, decision); next; next = cleared(seen, decision)) {
    seen = next;
    decision = decideSmtp(seen, contextOf(r));
  }
  if (decision.next === "rotate") await proveSites(r, decision);
  return {
    steps: stepsOf(r, decision),
    accessKeyId: decision.next === "rotate" ? decision.inUse.user : (decision.sites[0]?.mail.user ?? ""),
    sites: decision.sites.map(({ settings }) => settings.site),
    warnings: decision.warnings,
  };
};
