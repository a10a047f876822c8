import { type CopyOption, copyOption } from "../copyOption.ts";
import { renderTable } from "../table.ts";
import { announce, type CommandContext, installationCommand, placeOf, storeFacts } from "./context.ts";

/** @returns the exit status: 0 when the destination can serve, 4 when a check fails */
const checkDestination = async (context: CommandContext, options: CopyOption): Promise<number> => {
  announce(context, "Check the destination of", storeFacts(context, options.copy));
  const findings = await context.operations.checkDestination(placeOf(context), options);
  const ok = findings.every((finding) => finding.ok);
  context.output.result({ ok, findings }, (style) => {
    const rows = findings.map((finding) => [
      finding.ok ? style("green", "ok") : style("red", "fails"),
      finding.check,
      `${Math.round(finding.milliseconds)} ms`,
      finding.note,
    ]);
    return renderTable(["", "check", ">time", "remarks"], rows);
  });
  return ok ? 0 : 4;
};

export const command = installationCommand({
  name: "check destination",
  summary: "Put, get, list and delete a scratch object at the destination; report its quirks.",
  options: copyOption,
  examples: ["check destination --json", "check destination --copy 1"],
  run: checkDestination,
});
