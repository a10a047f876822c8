import { dirname } from "node:path";
import { DatabaseMissingError, OlderVersionError } from "@openemr-ops/core/errors";
import { connect } from "@openemr-ops/database/connection";
import {
  compareVersions,
  formatVersion,
  type OpenEmrVersion,
  readCodeVersion,
  readVersion,
} from "@openemr-ops/openemr/version";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";

/** The code's version where it can be read, else that of the live schema. */
const targetVersion = async (context: DumpContext, inPlace: boolean): Promise<OpenEmrVersion | undefined> => {
  const code = await readCodeVersion(context.codePath ?? dirname(context.sitesPath));
  if (code || !inPlace) return code;
  try {
    await using connection = await connect(context.restoreDatabase);
    return await readVersion(connection).catch(() => undefined);
  } catch (error) {
    if (error instanceof DatabaseMissingError) return undefined; // a fresh server: nothing there can be older
    throw error;
  }
};

/**
 * OpenEMR has no way down: older code can neither read newer keys nor a newer schema.
 *
 * @returns whether the target's code is newer, so that an upgrade has to follow
 * @throws {OlderVersionError} refused
 */
export const assertVersion = async (context: DumpContext, manifest: Manifest, inPlace: boolean): Promise<boolean> => {
  const dumped = manifest.openemr.version as OpenEmrVersion | null;
  const target = await targetVersion(context, inPlace);
  if (!dumped || !target) return false;
  const order = compareVersions(target, dumped);
  if (order < 0)
    throw new OlderVersionError(
      `the dump is of OpenEMR ${formatVersion(dumped)}, the target runs ${formatVersion(target)}: install ${formatVersion(dumped)} or newer there first`,
    );
  return order > 0;
};
