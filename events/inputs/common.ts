import { identifier } from "@openemr-ops/core/config/fields";
import { mostCopies } from "@openemr-ops/core/config/sections/copies";
import { strict } from "@openemr-ops/core/config/strict";
import { ulidPattern } from "@openemr-ops/core/ids";
import * as z from "zod";

export const flag = z.boolean({ error: "expected true or false" }).default(false);

/** Fields of the input of every kind of job. */
export const common = {
  version: z.literal(1, { error: "expected 1, the version of this contract" }).default(1),
  /** Needed only where the configuration lists several. */
  installation: identifier.optional(),
  /** Read and report only; change nothing. */
  dryRun: flag,
};

/** The input of a kind that asks for nothing more. */
export const plainInput = <const Kind extends string>(kind: Kind) => strict({ ...common, kind: z.literal(kind) });

export const dumpName = z
  .string({ error: 'expected "latest" or a dump\'s identifier' })
  .refine((name) => name === "latest" || ulidPattern.test(name), {
    error: 'expected "latest" or a dump\'s identifier of 26 characters',
  });

const whichCopy = `expected the number of a copy, 1 to ${mostCopies}`;
/** A copy by its place in `dumps.copies`, from 1. */
export const copyNumber = z
  .int({ error: whichCopy })
  .min(1, { error: whichCopy })
  .max(mostCopies, { error: whichCopy });

/** Which store a job works on; without it the first destination. */
export const atCopy = { copy: copyNumber.optional() };

/** As much of an input as tells the store. */
export interface AtCopy {
  readonly copy?: number | undefined;
}
