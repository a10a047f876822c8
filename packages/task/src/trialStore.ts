import { randomBytes } from "node:crypto";
import { readdir, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import type { SecretReader } from "@openemr-ops/core/config/secrets";
import type { InstallationWith } from "@openemr-ops/core/config/settings";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import type { TrialStore } from "@openemr-ops/dumps/store/trial";
import { toolsFrom } from "./openContext.ts";
import { openDestination } from "./openDestination.ts";
import { openLocation } from "./openLocation.ts";
import { type DumpPurpose, ownCredentials } from "./ownCredentials.ts";

const below = (address: DestinationAddress, folder: string): DestinationAddress =>
  address.kind === "file"
    ? { ...address, directory: join(address.directory, folder) }
    : { ...address, prefix: [address.prefix, folder].filter(Boolean).join("/") };

/** Removes empty directories alone: `rmdir` removes no other, and follows no link. */
const removeEmpty = async (directory: string): Promise<void> => {
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) await removeEmpty(join(directory, entry.name));
  await rmdir(directory).catch(() => {});
};

/** The folder, and the two above it that the check made: `scratch/<identifier>`. */
const removeFolders = async (directory: string): Promise<void> => {
  await removeEmpty(directory);
  for (const above of [dirname(directory), dirname(dirname(directory))]) await rmdir(above).catch(() => {});
};

/**
 * restic on a repository of its own at a folder of the installation's destination, under the rights that dumps have here.
 * The password is new each time, so the check does not need the installation's own. `undefined` for format `portable`, which
 * goes to the destination by our calls alone.
 */
export const trialStore = (
  installation: InstallationWith<"dumps">,
  environment: Readonly<Record<string, string | undefined>>,
  readSecret: SecretReader,
): ((folder: string) => Promise<TrialStore>) | undefined => {
  const { dumps, id } = installation;
  if (dumps.format !== "restic") return undefined;
  const password = randomBytes(24).toString("hex");
  return async (folder) => {
    const address = below(dumps.destination, folder);
    const storeFor = async (purpose: DumpPurpose) => {
      const credentials = ownCredentials(dumps, readSecret, purpose);
      return resticStore({
        restic: toolsFrom(environment).restic,
        installation: id,
        location: openLocation(address, environment, credentials),
        readPassword: async () => password,
        destination: await openDestination(address, { environment, credentials }),
      });
    };
    const [store, remover] = [await storeFor("work"), await storeFor("retention")];
    return {
      store,
      remover,
      clear: async () => (address.kind === "file" ? removeFolders(address.directory) : undefined),
    };
  };
};
