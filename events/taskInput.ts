import { identifier, schemaName } from "@openemr-ops/core/config/fields";
import { connectionSchema } from "@openemr-ops/core/config/schema";
import { strict } from "@openemr-ops/core/config/strict";
import { ulidPattern } from "@openemr-ops/core/ids";
import * as z from "zod";

const flag = z.boolean({ error: "expected true or false" }).default(false);

const dumpName = z
  .string({ error: 'expected "latest" or a dump\'s identifier' })
  .refine((name) => name === "latest" || ulidPattern.test(name), {
    error: 'expected "latest" or a dump\'s identifier of 26 characters',
  });

const directory = z
  .string({ error: "expected an absolute directory" })
  .refine((path) => /^\/[^\p{Cc}]+$/u.test(path), { error: "expected an absolute directory" });

const share = z.string({ error: "expected n/m, the n-th of m parts" }).refine(
  (text) => {
    const [, part, of] = (/^(\d{1,5})\/(\d{1,5})$/.exec(text) ?? []).map(Number);
    return part !== undefined && of !== undefined && part >= 1 && part <= of;
  },
  { error: "expected n/m, the n-th of m parts, such as 1/7" },
);

const common = {
  version: z.literal(1, { error: "expected 1, the version of this contract" }).default(1),
  /** Required only when the configuration lists several. */
  installation: identifier.optional(),
};

const restore = strict({
  ...common,
  kind: z.literal("restore"),
  dump: dumpName,
  intoDatabase: schemaName.optional(),
  intoSites: directory.optional(),
  inPlace: flag,
  platform: z
    .enum(["ecs", "compose", "kubernetes", "host"], { error: "expected ecs, compose, kubernetes or host" })
    .optional(),
  connection: connectionSchema.optional(),
  upgrade: flag,
  dryRun: flag,
}).superRefine(({ inPlace, intoDatabase, intoSites }, context) => {
  const complain = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
  for (const [name, value] of Object.entries({ intoDatabase, intoSites })) {
    if (inPlace && value !== undefined) complain(name, "leave it out: inPlace replaces the live system");
    if (!inPlace && value === undefined) complain(name, "is missing; or say inPlace to replace the live system");
  }
});

/** The input of the container program: one job. Unknown fields are refused. `samples/taskInput.v1.json` has one of each. */
export const taskInput = z.discriminatedUnion(
  "kind",
  [
    strict({ ...common, kind: z.literal("dump"), forceNewRepository: flag, dryRun: flag }),
    strict({ ...common, kind: z.literal("drill"), dump: dumpName.default("latest"), dryRun: flag }),
    strict({
      ...common,
      kind: z.literal("check"),
      level: z
        .enum(["objects", "read-data", "drill"], { error: "expected objects, read-data or drill" })
        .default("objects"),
      share: share.optional(),
    }),
    strict({ ...common, kind: z.literal("retention"), dryRun: flag }),
    restore,
  ],
  {
    error: (issue) =>
      issue.code === "invalid_union"
        ? "expected dump, drill, check, retention or restore"
        : 'expected an object such as { "kind": "dump" }',
  },
);

export type TaskInput = z.output<typeof taskInput>;
