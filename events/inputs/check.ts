import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { atCopy, common } from "./common.ts";

const share = z.string({ error: "expected n/m, the n-th of m parts" }).refine(
  (text) => {
    const [, part, of] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).map(Number);
    return part !== undefined && of !== undefined && part >= 1 && part <= of;
  },
  { error: "expected n/m, the n-th of m parts, such as 1/7" },
);

export const checkInput = strict({
  ...common,
  ...atCopy,
  kind: z.literal("check"),
  level: z
    .enum(["objects", "read-data", "drill"], { error: "expected objects, read-data or drill" })
    .default("objects"),
  share: share.optional(),
});
export type CheckInput = z.output<typeof checkInput>;
