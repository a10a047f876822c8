import { randomBytes } from "node:crypto";
import { chmod, chown, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "@openemr-ops/files/syncDirectory";
import { isAbsent, isAcrossDevices, isRefused } from "./siteFiles.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}
interface Access {
  readonly mode: number;
  readonly owner: Owner;
}

/**
 * Puts a new `sqlconf.php` in place of a site's old one in one step: a reader sees the old one or the new one, whole, after a
 * power cut too. The draft lies under `documents`, which the web server does not serve, and its name ends in `.php`, so that a
 * server that does would run it, not show it. Owner and mode are right before the file is in place, and it is newer than the old
 * one by whole seconds: PHP's cache compares those, and never sees a file that comes with the old time. Where the name is a link,
 * the file that it leads to is replaced. Drafts that an interrupted run left behind are removed.
 *
 * @param draftInDocuments false where `documents` lies outside: then the draft is beside the file
 *
 * Fails with the system's EPERM, EACCES or EROFS when this program may not do that; the old file then stays.
 */
export const replaceSqlconf = async (
  siteDirectory: string,
  content: Buffer,
  access: Access,
  draftInDocuments = true,
): Promise<void> => {
  const site = await realpath(siteDirectory);
  const path = await realpath(join(site, "sqlconf.php")).catch((error: unknown) => {
    if (isAbsent(error)) return join(site, "sqlconf.php");
    throw error;
  });
  const home = dirname(path);
  const documents = home === site && draftInDocuments ? await realpath(join(site, "documents")).catch(none) : undefined;
  const replace = async (): Promise<void> => {
    for (const directory of new Set([documents ?? home, home])) await removeDrafts(directory);
    await draftAndRename(documents ?? home, path, content, access).catch((error: unknown) => {
      if (!isAcrossDevices(error)) throw error; // documents has a volume of its own
      return draftAndRename(home, path, content, access);
    });
  };
  try {
    await replace();
  } catch (error) {
    const { mode } = await stat(home);
    const locked = (mode & 0o200) === 0; // OpenEMR's containers leave it so; root may write there all the same
    if (!locked || !isRefused(error)) throw error;
    await chmod(home, mode | 0o200);
    try {
      await replace();
    } finally {
      await chmod(home, mode);
    }
  }
};

const none = (error: unknown): undefined => {
  if (!isAbsent(error)) throw error;
};

const removeDrafts = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    if (/^\.sqlconf-[0-9a-f]+\.php$/.test(name)) await rm(join(directory, name), { force: true });
  }
};

const draftAndRename = async (directory: string, path: string, content: Buffer, access: Access): Promise<void> => {
  const draft = join(directory, `.sqlconf-${randomBytes(8).toString("hex")}.php`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(content);
      const time = await timeAfter(path);
      if (time !== undefined) await file.utimes(time, time);
      await file.sync();
    } finally {
      await file.close();
    }
    await own(draft, access);
    await chmod(draft, access.mode);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  for (const changed of new Set([dirname(path), directory])) await syncDirectory(changed);
};

/** What to set, in seconds, where the present one is no later second than that of the old file. */
const timeAfter = async (path: string): Promise<number | undefined> => {
  const old = await stat(path).catch(none);
  const second = Math.floor((old?.mtimeMs ?? 0) / 1000);
  return Math.floor(Date.now() / 1000) > second ? undefined : second + 1;
};

/** The user must be right, or OpenEMR cannot read the file; so must the group, where the file is read by way of it. */
const own = async (path: string, { mode, owner: { uid, gid } }: Access): Promise<void> => {
  const now = await stat(path);
  if (now.uid === uid && now.gid === gid) return;
  const readByGroup = (mode & 0o044) === 0o040;
  await chown(path, uid, gid).catch((error: unknown) => {
    if (now.uid !== uid || readByGroup || !isRefused(error)) throw error;
  });
};
