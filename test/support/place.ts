import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import type { Installation } from "@openemr-ops/core/config/settings";
import type { Place } from "@openemr-ops/task/program";

/** A configuration as an operator would write it, and the variables that it names. */
interface Written {
  readonly config: object;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * What the programs of jobs work with, for the one installation of a configuration. It says nothing and is never stopped.
 *
 * @param directory where relative names start
 */
export const placeFor = ({ config: written, environment }: Written, directory: string): Place => {
  const config = resolveConfig(configSchema.parse(written), directory);
  return {
    config,
    installation: config.installations[0] as Installation,
    environment,
    now: () => new Date(),
    signal: new AbortController().signal,
    progress: () => {},
    warn: () => {},
  };
};
