import { stat } from "node:fs/promises";
import { formatBytes, formatCount } from "@openemr-ops/core/format";
import { measureSites } from "@openemr-ops/openemr/measureSites";
import { isAbsent } from "@openemr-ops/openemr/siteFiles";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";
import { ok, problem, type Sight } from "../finding.ts";

const expected = "expected OpenEMR's sites directory, which contains default/sqlconf.php";

const lookForSites = async (path: string): Promise<Sight> => {
  const found = await stat(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (!found) return problem(`${path} does not exist`, `correct the path, or mount the volume; ${expected}`);
  if (!found.isDirectory()) return problem(`${path} is not a directory`, `correct the path; ${expected}`);
  const sites = await listSites(path);
  return sites.length === 0
    ? problem(`no site is in ${path}`, `correct the path, mount the volume, or let this user enter it; ${expected}`)
    : ok(`${path} has ${sites.length === 1 ? "site" : "sites"} ${sites.slice(0, 5).join(", ")}`);
};

const plural = (count: number, one: string, more: string) => `${formatCount(count)} ${count === 1 ? one : more}`;

/** Whether the sites are there, and whether this user can read all that a dump contains. */
export const sitesChecks = (examined: Examined): readonly Check[] => {
  const { place, at } = examined;
  const { path } = place.installation.sites;
  const field = `${at}.sites.path`;
  return [
    { name: "sites", field, look: () => lookForSites(path) },
    {
      name: "sites-readable",
      field,
      after: ["sites"],
      seconds: undefined,
      look: async (signal) => {
        const onFiles = (files: number) =>
          place.progress({ step: "doctor", detail: `sites-readable: ${formatCount(files)} files` });
        const measure = await measureSites(path, { signal, onFiles });
        const { files, bytes, unreadableFiles, unreadableDirectories, places } = measure;
        if (unreadableFiles + unreadableDirectories === 0) {
          examined.measure = measure;
          return ok(`all of ${plural(files, "file", "files")} can be read, ${formatBytes(bytes)}`);
        }
        const counted = [
          ...(unreadableFiles > 0 ? [plural(unreadableFiles, "file", "files")] : []),
          ...(unreadableDirectories > 0 ? [plural(unreadableDirectories, "directory", "directories")] : []),
        ].join(" and ");
        return problem(
          `this user cannot read ${counted}, the first ones in ${places.join(", ")}`,
          `run this program as root or as the web server's user; as this user, list them with: find ${path} ! -readable`,
        );
      },
    },
  ];
};
