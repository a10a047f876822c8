import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common, copyNumber, flag } from "./common.ts";

export const copyInput = strict({
  ...common,
  kind: z.literal("copy"),
  copy: copyNumber.default(1),
  forceNewRepository: flag,
});
export type CopyInput = z.output<typeof copyInput>;
