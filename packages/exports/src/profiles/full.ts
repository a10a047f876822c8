import { ToolMissingError } from "@openemr-ops/core/errors";
import type { Profile } from "./profile.ts";

export const full = (): Profile => {
  throw new ToolMissingError("this release has no profile yet");
};
