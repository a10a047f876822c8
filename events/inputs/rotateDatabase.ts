import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common } from "./common.ts";

const phases = ["all", "switch", "retire", "rollBack"] as const;

export const rotateDatabaseInput = strict({
  ...common,
  kind: z.literal("rotateDatabase"),
  /**
   * One part of the rotation. A workflow runs the parts one by one, since OpenEMR is deployed anew between them; people leave
   * it out.
   */
  phase: z.enum(phases, { error: "expected all, switch, retire or rollBack" }).default("all"),
});
export type RotateDatabaseInput = z.output<typeof rotateDatabaseInput>;
