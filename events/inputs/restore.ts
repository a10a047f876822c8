import { schemaName } from "@openemr-ops/core/config/fields";
import { connectionSchema } from "@openemr-ops/core/config/schema";
import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";
import { atCopy, common, dumpName, flag } from "./common.ts";

const directory = z
  .string({ error: "expected an absolute directory" })
  .refine((path) => /^\/[^\p{Cc}]+$/u.test(path), { error: "expected an absolute directory" });

export const restoreInput = strict({
  ...common,
  ...atCopy,
  kind: z.literal("restore"),
  dump: dumpName,
  intoDatabase: schemaName.optional(),
  intoSites: directory.optional(),
  inPlace: flag,
  sites: z.enum(["own", "all"], { error: "expected own or all" }).optional(),
  platform: z
    .enum(["ecs", "compose", "kubernetes", "host"], { error: "expected ecs, compose, kubernetes or host" })
    .optional(),
  connection: connectionSchema.optional(),
  upgrade: flag,
}).superRefine(({ inPlace, intoDatabase, intoSites, sites }, context) => {
  const complain = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
  for (const [name, value] of Object.entries({ intoDatabase, intoSites })) {
    if (inPlace && value !== undefined) complain(name, "leave it out: inPlace replaces the live system");
    if (!inPlace && value === undefined) complain(name, "is missing; or say inPlace to replace the live system");
  }
  if (!inPlace && sites !== undefined) complain("sites", "goes with inPlace");
});
export type RestoreInput = z.output<typeof restoreInput>;
