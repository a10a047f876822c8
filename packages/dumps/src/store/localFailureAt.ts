import { localFailure, type OpsError, ToolFailedError } from "@openemr-ops/core/errors";

/** Names what a program could not do in a directory of ours on this machine, by the code of its complaint. */
export const localFailureAt = (doing: string, directory: string, code: string): OpsError =>
  localFailure(Object.assign(new Error(code), { code }), `${doing}: writing`, directory) ??
  new ToolFailedError(`${doing}: writing at ${directory} failed (${code})`);
