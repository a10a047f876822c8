import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { common, flag } from "./common.ts";

export const dumpInput = strict({ ...common, kind: z.literal("dump"), forceNewRepository: flag });
export type DumpInput = z.output<typeof dumpInput>;
