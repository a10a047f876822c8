import { requiredDirectories } from "./sitesLayout.ts";

/** Directories that OpenEMR itself names, with all above them, below a site. */
const known = new Set(
  requiredDirectories.flatMap((path) => path.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"))),
);
const knownFiles: ReadonlySet<string> = new Set(["sqlconf.php", "config.php"]);

/**
 * Where a path of the sites tree lies, as far as no name can be a patient's: the site, and directories that OpenEMR itself
 * names. `…` stands for the rest. What a message, a record or a verdict says instead of a path.
 *
 * @param path below the sites directory; empty for itself
 */
export const publicPlace = (path: string): string => {
  const [site = "", ...names] = path.split("/").filter((name) => name !== "");
  if (names.length === 0) return site || ".";
  let below = "";
  for (const name of names) {
    const next = below === "" ? name : `${below}/${name}`;
    if (knownFiles.has(next)) return `${site}/${next}`;
    if (!known.has(next)) return `${site}/${below === "" ? "" : `${below}/`}…`;
    below = next;
  }
  return `${site}/${below}`;
};
