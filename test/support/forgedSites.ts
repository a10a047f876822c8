import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { type Manifest, manifestBytes, manifestKey, sealManifest } from "@openemr-ops/dumps/manifest";

/** An archive of what lies in a directory, as any tar makes it. */
export const tarOf = (directory: string, ...names: readonly string[]): Buffer => {
  const { stdout, stderr, status } = spawnSync(
    "tar",
    [
      "--create",
      "--format=posix",
      "--numeric-owner",
      "--absolute-names",
      "--file=-",
      "--directory",
      directory,
      ...names,
    ],
    { maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new TypeError(`tar: ${stderr}`);
  return stdout;
};

/**
 * Does what somebody who may write to the destination can do: another archive of the sites tree under the dump's own
 * key, and a manifest that fits.
 */
export const forgeSites = async (
  context: DumpContext,
  manifest: Manifest,
  archive: Buffer,
  counts: Partial<Pick<Manifest["sites"], "files" | "byteLength">> = {},
): Promise<void> => {
  const { part } = manifest.sites;
  if (part.kind !== "object") throw new TypeError("only portable dumps are forged so");
  const body = zstdCompressSync(archive);
  const forged = { ...part, byteLength: body.length, sha256: createHash("sha256").update(body).digest("hex") };
  const { digest: _, ...rest } = manifest;
  const sealed = sealManifest({ ...rest, sites: { ...rest.sites, ...counts, part: forged } });
  await context.destination.put(part.key, body);
  await context.destination.put(manifestKey(context.installation, manifest.dumpId), manifestBytes(sealed));
};
