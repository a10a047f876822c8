import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common } from "./common.ts";

export const retentionInput = strict({ ...common, kind: z.literal("retention") });
export type RetentionInput = z.output<typeof retentionInput>;
