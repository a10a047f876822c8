import { formatDuration } from "@openemr-ops/core/format";
import type { RotateSmtpInput } from "@openemr-ops/events/inputs/rotateSmtp";
import { ofJob } from "../commonOptions.ts";
import { optional } from "../options.ts";
import { aChoice, someMinutes } from "../optionValues.ts";
import { renderWarnings } from "../output.ts";
import { shown } from "../shown.ts";
import { renderFacts } from "../table.ts";
import { announce, type CommandContext, carryOut, type Fact, jobOf, sectionCommand } from "./context.ts";

const words = {
  createKey: "make a second access key",
  storePassword: "write its SMTP password down",
  logIn: "log in with it until it has spread",
  writeIntoOpenEmr: "write it into OpenEMR",
  sendTestMessage: "send a test message",
  makePasswordCurrent: "make it the current one",
  deactivateKey: "make the key before inactive",
  lookAgain: "look at OpenEMR again after the soak",
  deleteKey: "delete the key before",
} as const;

interface RotateOptions {
  readonly soakMinutes?: number;
  readonly phase?: RotateSmtpInput["phase"];
}

const list = (names: readonly string[]): string => (names.length > 0 ? names.join(", ") : "none");

const rotateSmtp = async (
  context: CommandContext<"rotations">,
  { soakMinutes, phase = "all" }: RotateOptions,
): Promise<void> => {
  const { rotations, sites } = context.installation;
  const { iamUser, server } = rotations.smtp ?? {};
  announce(context, "Rotate the SMTP credentials of", [
    ["IAM user", iamUser ?? "not configured"],
    ["server", server ? `${server.host}:${server.port}, TLS ${server.tls}` : "not configured"],
    ["sites", sites.path],
  ]);
  const job = {
    ...jobOf(context, "rotateSmtp"),
    phase,
    ...(soakMinutes === undefined ? {} : { soakMinutes }),
  };
  const result = await carryOut(context, context.operations.programs.rotateSmtp, job);
  context.output.result(result, (style) => {
    const nothing = `Nothing to rotate: no site sends by SMTP with an access key of ${iamUser ?? "this user"}\n`;
    if ("dryRun" in result) {
      const steps = result.steps.map((step, index) => [index === 0 ? "would" : "", words[step]] as const);
      const warnings = result.warnings.map((message) => ({ message }));
      const facts = renderFacts([["in use", result.accessKeyId], ["sites", list(result.sites)], ...steps]);
      return shown`${[result.accessKeyId === "" ? shown`${nothing}` : facts, renderWarnings(warnings, style)]}`;
    }
    const { accessKeyId, previous, writtenTo, healed, testMessageId, state, soakEnds, seconds } = result;
    if (accessKeyId === null) return shown`${nothing}`;
    const facts: Fact[] = [["written to", list(writtenTo)]];
    if (healed.length > 0) facts.push(["put back, and written again", list(healed)]);
    if (testMessageId !== undefined) facts.push(["test message", testMessageId]);
    if (previous !== undefined) facts.push(["key before", `${previous}, ${state === "done" ? "deleted" : "inactive"}`]);
    if (soakEnds !== undefined) facts.push(["deleted by the next run after", soakEnds]);
    if (result.redeploy) facts.push(["next", "redeploy: containers get this login when they start"]);
    return shown`${[
      shown`OpenEMR sends with ${style("bold", accessKeyId)}: ${style("green", state)} after ${formatDuration(seconds)}\n`,
      renderFacts(facts),
    ]}`;
  });
};

export const command = sectionCommand("rotations", {
  name: "rotate smtp",
  job: "rotateSmtp",
  summary: "Give OpenEMR another login at the SMTP server, prove that mail goes out, and put the key before away.",
  common: ofJob,
  options: {
    soakMinutes: optional(
      "--soak-minutes <n>",
      "how long the key before stays, inactive (default: rotations.smtp.soakMinutes; 0 deletes it in this run)",
      someMinutes,
    ),
    phase: optional(
      "--phase <phase>",
      "one part of the rotation: all, switch or retire (default: all)",
      aChoice(["all", "switch", "retire"] as const),
    ),
  },
  examples: ["rotate smtp --dry-run", "rotate smtp", "rotate smtp --soak-minutes 0 --json"],
  run: rotateSmtp,
});
