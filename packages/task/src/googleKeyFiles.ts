import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onThisMachine } from "@openemr-ops/core/errors";
import type { CredentialFiles } from "@openemr-ops/dumps/store/resticLocation";
import type { GoogleFiles } from "@openemr-ops/gcp/googleCredentials";

/** AWS accepts a signed request for five minutes. */
const renewMilliseconds = 60_000;

/**
 * Writes Google's credentials into a directory that only this user can enter, for one run of restic, which takes them from a
 * file only. A token that ends is written anew meanwhile. `release` removes all of it.
 */
export const googleKeyFiles = async ({ credentials, renew }: GoogleFiles): Promise<CredentialFiles> => {
  const directory = await onThisMachine("making a directory for credentials", `TMPDIR (${tmpdir()})`, () =>
    mkdtemp(join(tmpdir(), "openemr-ops-google-")),
  );
  const [file, tokenFile] = ["credentials.json", "token"].map((name) => join(directory, name)) as [string, string];
  const remove = () => rm(directory, { recursive: true, force: true });
  const write = async (path: string, text: string): Promise<void> => {
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path); // a reader finds the old one or the new one, whole
  };
  const writeToken = async () => {
    if (renew) await write(tokenFile, await renew());
  };
  try {
    await write(file, credentials(tokenFile));
    await writeToken();
  } catch (error) {
    await remove();
    throw error;
  }
  let writing: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    writing = writing.then(writeToken).catch(() => {}); // the next one may succeed; if none does, the store denies restic
  }, renewMilliseconds);
  timer.unref();
  return {
    environment: { GOOGLE_APPLICATION_CREDENTIALS: file },
    release: async () => {
      clearInterval(timer);
      await writing;
      await remove();
    },
  };
};
