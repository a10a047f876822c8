import { mkdir } from "node:fs/promises";
import { asRoot } from "./smallFileSystem.ts";

/**
 * Shows a directory as a file system on which everything belongs to user and group 1000, whoever makes it, and nobody can
 * change that: an access point of EFS with an identity of its own, or NFS that maps everybody to one user.
 */
export const oneOwnersFileSystem = async (path: string): Promise<AsyncDisposable & { readonly path: string }> => {
  const below = `${path}.below`;
  for (const directory of [below, path]) await mkdir(directory, { recursive: true, mode: 0o777 });
  const owner = ["--force-user=1000", "--force-group=1000", "--create-for-user=1000", "--create-for-group=1000"];
  asRoot("bindfs", ...owner, "--chown-deny", "--chgrp-deny", below, path);
  return { path, [Symbol.asyncDispose]: async () => asRoot("umount", "--lazy", path) };
};
