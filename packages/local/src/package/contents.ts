import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { repositoryRoot } from "../tools/findTool.ts";
import { broughtBy, type LockedPackage } from "./lockfile.ts";

/** One entry of the package, at a relative place: a file of this machine, or a link. */
export type PackagedEntry =
  | { readonly at: string; readonly from: string; readonly executable: boolean }
  | { readonly at: string; readonly target: string };

/** What only compilers, bundlers and browsers read, and files whose names begin with a dot. */
const unread = /(^|\/)(dist-es|dist-types|\.[^/]+)(\/|$)|\.(d\.[cm]?ts|map)$|(^|\/)CHANGELOG\.md$/;
/** Of Node: neither headers nor manuals. */
const ofNode = /^(bin\/node|LICENSE|package\.json)$/;
const ofWorkspace = /^(package\.json|(src|bin|inputs)\/.*|[^/]+\.ts)$/;
const ofDocs = /^(runbooks\/)?[^/]+\.md$/;

const filesBelow = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((name) => !/(^|\/)node_modules\//.test(name)); // packages of their own

const entriesOf = (
  place: string,
  wanted: RegExp | ((name: string) => boolean),
  directory = join(repositoryRoot, place),
) =>
  filesBelow(directory)
    .filter((name) => (wanted instanceof RegExp ? wanted.test(name) : wanted(name)))
    .map((name): PackagedEntry => {
      const from = join(directory, name);
      return { at: join(place, name), from, executable: (lstatSync(from).mode & 0o100) !== 0 };
    });

const manifestIn = (place: string): { readonly name?: string; readonly version?: string } => {
  try {
    return JSON.parse(readFileSync(join(repositoryRoot, place, "package.json"), "utf8"));
  } catch {
    return {};
  }
};

const entriesOfPackage = (place: string, { version }: LockedPackage): readonly PackagedEntry[] => {
  const manifest = manifestIn(place);
  if (!place.includes("node_modules/"))
    return [...entriesOf(place, ofWorkspace), { at: `node_modules/${manifest.name}`, target: `../../${place}` }];
  if (manifest.version !== version)
    throw new ToolMissingError(
      `${place} is installed in version ${manifest.version ?? "none"}, and the lockfile has ${version}; run "npm ci"`,
    );
  return entriesOf(place, (name) => !unread.test(name));
};

/** Scripts for the person who installs are at the top of the package. */
const atTheTop = (entry: PackagedEntry): PackagedEntry => ({
  ...entry,
  at: entry.at.replace(/^packaging\/(?=[^/]+\.sh$)/, ""),
});

const isNode = (place: string): boolean => place.startsWith("node_modules/node-linux-");

/**
 * What a machine needs to run the command line: the workspaces that it imports, what the lockfile says that they bring, Node,
 * and the documents. All places are those of a checkout, so that every file finds the others as it does there.
 *
 * @param node the directory of an npm package `node-linux-…`, and its place
 * @returns entries sorted by place
 * @throws {ToolMissingError} refused: what is installed here is not what the lockfile has
 */
export const packagedEntries = (node: {
  readonly place: string;
  readonly directory: string;
}): readonly PackagedEntry[] =>
  [
    ...["package.json", "LICENSE", "CHANGELOG.md"].map((name) => ({
      at: name,
      from: join(repositoryRoot, name),
      executable: false,
    })),
    ...entriesOf("docs", ofDocs),
    ...entriesOf("packaging", () => true).map(atTheTop),
    ...[...broughtBy("packages/cli")].flatMap(([place, locked]) =>
      isNode(place) ? [] : entriesOfPackage(place, locked),
    ),
    ...entriesOf(node.place, ofNode, node.directory),
  ].sort((a, b) => (a.at < b.at ? -1 : 1));
