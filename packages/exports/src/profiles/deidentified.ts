import { ToolMissingError } from "@openemr-ops/core/errors";
import type { Profile } from "./profile.ts";

export const deidentified = (_options: { readonly key: string; readonly exportDate: Date }): Profile => {
  throw new ToolMissingError("this release has no profile yet");
};
