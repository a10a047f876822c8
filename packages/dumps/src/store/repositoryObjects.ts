import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { announcedOnly } from "@openemr-ops/files/byteSink";

/** Bytes of what seals any object of a repository: a nonce and a signature of 16 bytes each. */
const sealBytes = 32;

const sha256Of = async (stream: AsyncIterable<Buffer>): Promise<string> => {
  const digest = createHash("sha256");
  for await (const chunk of stream) digest.update(chunk);
  return digest.digest("hex");
};

const damaged = (key: string) =>
  new IntegrityError(`object ${key} of the repository is damaged: its bytes are not those that were written`);

/**
 * What a restic repository's objects tell by themselves, without password or restic: all but the config are named by the
 * SHA-256 of their bytes. Source: restic's doc/design.rst.
 */
export const repositoryObjects = (destination: Destination) => {
  const holdsAny = async (folder: string): Promise<boolean> => {
    for await (const _ of destination.list(folder)) return true;
    return false;
  };

  /** Reads every object of a folder. @throws {IntegrityError} names the first one that is not what its name says */
  const assertNames = async (folder: "keys/" | "snapshots/" | "index/" | "data/"): Promise<void> => {
    for await (const { key, byteLength } of destination.list(folder)) {
      const name = basename(key);
      if (!/^[0-9a-f]{64}$/.test(name)) continue;
      const body = await destination.get(key);
      if (body && (await sha256Of(announcedOnly(body, byteLength, () => damaged(key)))) !== name) throw damaged(key);
    }
  };

  /** Whether what every run of restic needs first is there; no repository at all is fine. @throws {IntegrityError} */
  const assertOpenable = async (): Promise<void> => {
    const config = await destination.describe("config");
    const keyed = await holdsAny("keys/");
    if (!config && !keyed && !(await holdsAny("snapshots/"))) return;
    if (!config) throw new IntegrityError(`the repository at ${destination.url} lacks its object config`);
    if (config.byteLength <= sealBytes) throw damaged("config");
    if (!keyed) throw new IntegrityError(`the repository at ${destination.url} lacks its key`);
  };

  return { assertNames, assertOpenable };
};
