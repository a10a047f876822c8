import type { Installation } from "@openemr-ops/core/config/settings";
import { type MountPoint, mountPoints } from "@openemr-ops/files/mounts";

/** PHP looks at a file again after 2 seconds, and web servers' workers need a moment. */
const onOneMachine = 5;
/** Beside that, clients of NFS keep a file's attributes for 60 seconds. Source: nfs(5), acregmax. */
const overTheNetwork = 75;

const isBelow = (path: string, mount: string): boolean =>
  mount === "/" || path === mount || path.startsWith(`${mount}/`);

/** Whether a directory is on a file system that other machines see through caches of their own. */
const isShared = (path: string, mounts: readonly MountPoint[]): boolean => {
  const below = mounts.filter((mount) => isBelow(Buffer.from(path).toString("latin1"), mount.path));
  const last = below.reduce<MountPoint | undefined>(
    (best, mount) => (best && best.path.length > mount.path.length ? best : mount),
    undefined,
  );
  return last !== undefined && /^(nfs|cifs|smb|ceph|gluster|fuse|9p|lustre)/.test(last.type);
};

/** How long a web server may run a `sqlconf.php` that was replaced. */
export const settleSecondsOf = async (
  { kind }: Pick<Installation["platform"], "kind">,
  sitesPath: string,
  mounts: () => Promise<readonly MountPoint[]> = mountPoints,
): Promise<number> =>
  kind !== "host" || isShared(sitesPath, await mounts().catch(() => [])) ? overTheNetwork : onOneMachine;
