import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../tools/findTool.ts";

/** A package as the lockfile has it. */
export interface LockedPackage {
  readonly version?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  /** Only development needs it: installing without that leaves it out. */
  readonly dev?: boolean;
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export const lockedPackages: Readonly<Record<string, LockedPackage>> = JSON.parse(
  readFileSync(join(repositoryRoot, "package-lock.json"), "utf8"),
).packages;

/** Where Node would find a package from this directory; nothing when the lockfile lacks it. */
export const locate = (from: string, name: string): string | undefined => {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
    const place = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (lockedPackages[place] !== undefined) return place;
    if (at === "") return undefined;
  }
};

/** What installing a workspace without development brings, by place: itself, and what it depends on, however far. */
export const broughtBy = (workspace: string): ReadonlyMap<string, LockedPackage> => {
  const brought = new Map<string, LockedPackage>();
  const bring = (place: string): void => {
    const found = lockedPackages[place];
    if (!found || brought.has(place)) return;
    if (found.link) {
      bring(found.resolved ?? "");
      return;
    }
    brought.set(place, found);
    for (const name of Object.keys({ ...found.dependencies, ...found.optionalDependencies })) {
      const next = locate(place, name);
      if (next !== undefined) bring(next);
    }
  };
  bring(workspace);
  return brought;
};
