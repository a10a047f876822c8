import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common, dumpName } from "./common.ts";

export const drillInput = strict({ ...common, kind: z.literal("drill"), dump: dumpName.default("latest") });
export type DrillInput = z.output<typeof drillInput>;
