import { randomBytes } from "node:crypto";
import { chmod, chown, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isAcrossDevices, isRefused } from "./siteFiles.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Puts a new `sqlconf.php` in place of a site's old one in one step: a reader sees the old one or the new one, whole.
 * The draft lies under `documents`, which the web server does not serve, and its name ends in `.php`, so that a server that does
 * would run it, not show it. Owner and mode are right before the file is in place, and the modification time is new: PHP's cache
 * never sees a file that comes with the old one. Drafts that an interrupted run left behind are removed.
 *
 * @param draftInDocuments false where `documents` lies outside: then the draft is beside the file
 *
 * Fails with the system's EPERM or EACCES when this program may not do that; the old file then stays.
 */
export const replaceSqlconf = async (
  siteDirectory: string,
  content: Buffer,
  access: { readonly mode: number; readonly owner: Owner },
  draftInDocuments = true,
): Promise<void> => {
  const drafts = draftInDocuments ? join(siteDirectory, "documents") : siteDirectory;
  for (const directory of new Set([drafts, siteDirectory])) {
    for (const name of await readdir(directory)) {
      if (/^\.sqlconf-[0-9a-f]+\.php$/.test(name)) await rm(join(directory, name), { force: true });
    }
  }
  const { mode } = await stat(siteDirectory);
  const locked = (mode & 0o200) === 0; // OpenEMR's containers leave it so; only root may write there all the same
  if (locked) await chmod(siteDirectory, mode | 0o200);
  try {
    await draftAndRename(drafts, siteDirectory, content, access).catch((error: unknown) => {
      if (!isAcrossDevices(error)) throw error; // documents has a volume of its own
      return draftAndRename(siteDirectory, siteDirectory, content, access);
    });
  } finally {
    if (locked) await chmod(siteDirectory, mode);
  }
};

const draftAndRename = async (
  directory: string,
  siteDirectory: string,
  content: Buffer,
  { mode, owner }: { readonly mode: number; readonly owner: Owner },
): Promise<void> => {
  const draft = join(directory, `.sqlconf-${randomBytes(8).toString("hex")}.php`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await own(draft, owner);
    await chmod(draft, mode);
    await rename(draft, join(siteDirectory, "sqlconf.php"));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
};

/** The user must be right, or OpenEMR cannot read the file; the group is as good as it gets. */
const own = async (path: string, { uid, gid }: Owner): Promise<void> => {
  const now = await stat(path);
  if (now.uid === uid && now.gid === gid) return;
  await chown(path, uid, gid).catch((error: unknown) => {
    if (now.uid !== uid || !isRefused(error)) throw error;
  });
};
