import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { atCopy, common } from "./common.ts";

export const retentionInput = strict({ ...common, ...atCopy, kind: z.literal("retention") });
