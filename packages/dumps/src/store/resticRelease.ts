import { ToolMissingError } from "@openemr-ops/core/errors";
import { runChild } from "@openemr-ops/files/child";

export interface ResticRelease {
  /** Such as `0.14.0`. */
  readonly text: string;
  /** The number behind `0.`; a release 1 or later counts as 99. */
  readonly minor: number;
}

/** Oldest release for every kind of destination: the compressed format came with it, and Debian 12 has it. */
const oldest = { minor: 14, text: "0.14" };

/** @throws {ToolMissingError} restic is not installed or too old; the message holds its version and what to install */
export const resticRelease = async (restic: string): Promise<ResticRelease> => {
  const { output } = await runChild(restic, ["version"]);
  const [, text = "", major, minor] = /^restic ((\d+)\.(\d+)\.\d+)/.exec(output) ?? [];
  const found = { text, minor: Number(major) > 0 ? 99 : Number(minor) };
  if (found.minor >= oldest.minor) return found;
  throw new ToolMissingError(
    `${text ? `restic ${text} is too old` : `${restic} is no restic`}: install restic ${oldest.text} or newer (Debian 12 and Ubuntu 24.04 have it: apt-get install restic), or set OPENEMR_OPS_RESTIC to the path of a newer one`,
  );
};
