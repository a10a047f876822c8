import { RotationRefusedError } from "@openemr-ops/core/errors";
import type { Program } from "../program.ts";

const refuse = async (): Promise<never> => {
  throw new RotationRefusedError("this build has the kind and not yet its work");
};

export const rotateAdmin: Program<"rotateAdmin", object, object> = { plan: refuse, run: refuse };
