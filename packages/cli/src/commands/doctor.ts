import { usualAndDryRun } from "../commonOptions.ts";
import { defineCommand } from "../defineCommand.ts";
import { doctor } from "../doctor.ts";

export const command = defineCommand({
  name: "doctor",
  summary:
    "Try what later jobs need: files, logins, rights, stores, space. It writes and removes trial objects at destinations; --dry-run writes none.",
  common: usualAndDryRun,
  options: {},
  examples: ["doctor", "doctor --dry-run --json"],
  run: doctor,
});
