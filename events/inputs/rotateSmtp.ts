import { soakMinutes } from "@openemr-ops/core/config/fields";
import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common } from "./common.ts";

const phases = ["all", "switch", "retire"] as const;

export const rotateSmtpInput = strict({
  ...common,
  kind: z.literal("rotateSmtp"),
  /** One part of the rotation. A workflow runs the parts one by one, and waits between them; people leave it out. */
  phase: z.enum(phases, { error: "expected all, switch or retire" }).default("all"),
  /** How long the key before stays, inactive; not set, as the configuration says. */
  soakMinutes: soakMinutes.optional(),
});
export type RotateSmtpInput = z.output<typeof rotateSmtpInput>;
