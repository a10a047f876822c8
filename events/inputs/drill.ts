import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { atCopy, common, dumpName } from "./common.ts";

export const drillInput = strict({ ...common, ...atCopy, kind: z.literal("drill"), dump: dumpName.default("latest") });
export type DrillInput = z.output<typeof drillInput>;
