import { OpsError } from "@openemr-ops/core/errors";
import { figureWords } from "@openemr-ops/core/format";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { DumpContext } from "../context.ts";
import type { Neighbour } from "../store/dumpStore.ts";

/** What is at a destination where no dump of the installation was found. */
export interface DestinationSurvey {
  readonly url: string;
  readonly empty: boolean;
  /** A restic repository is there, whatever the configured format is. */
  readonly repository: boolean;
  /** Other installations with their numbers of dumps, and snapshots of other programs. */
  readonly neighbours: readonly Neighbour[];
  /** Folders in it that look like a destination of dumps. */
  readonly below: readonly string[];
  /** Why the repository could not be read; then there may be more than is listed. */
  readonly unopened?: string;
}

/** Objects that are looked at; a store of millions is not read to its end for a message. */
const mostObjects = 5000;
const mostNamed = 5;
/** Folders of other names are no place of dumps, and could be named after people. */
const plainName = /^[A-Za-z0-9][\w.-]{0,63}(\/[A-Za-z0-9][\w.-]{0,63})?$/;

/** Whose plain manifests lie in the folder `manifests`. */
const manifestOf = (key: string): string | undefined => {
  const [folder, installation, name = ""] = key.split("/");
  return folder === "manifests" && ulidPattern.test(name.replace(/\.json$/, "")) ? installation : undefined;
};

/** The folder that has the layout of a destination, if this object shows it. */
const storeFolderOf = (key: string): string | undefined => {
  const [, folder] = /^(.+?)\/(?:manifests\/[^/]+\/[0-9A-Z]{26}\.json|keys\/[0-9a-f]{64})$/.exec(key) ?? [];
  return folder !== undefined && plainName.test(folder) ? folder : undefined;
};

/** Looks what is at the destination. Reads only; needs no password, and tells more with it. */
export const surveyDestination = async (context: DumpContext): Promise<DestinationSurvey> => {
  const { destination, installation, store } = context;
  const repository = (await destination.describe("config")) !== undefined;
  const below = new Set<string>();
  const listed = new Map<string, number>();
  let objects = 0;
  for await (const { key } of destination.list("")) {
    if (++objects > mostObjects) break;
    const folder = storeFolderOf(key);
    if (folder !== undefined) below.add(folder);
  }
  for await (const { key } of destination.list("manifests/")) {
    const id = manifestOf(key);
    if (id !== undefined && id !== installation) listed.set(id, (listed.get(id) ?? 0) + 1);
  }
  const common = { url: destination.url, empty: objects === 0, repository, below: [...below].sort() };
  const claimed = [...listed].map(([host, dumps]) => ({ host, dumps, snapshots: 0, tags: [] }));
  try {
    const neighbours = await store.neighbours(context);
    const known = new Set(neighbours.map(({ host }) => host));
    return { ...common, neighbours: [...neighbours, ...claimed.filter(({ host }) => !known.has(host))] };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof OpsError)) throw error;
    return { ...common, neighbours: claimed, unopened: `${error.name}: ${error.message}` };
  }
};

const first = (names: readonly string[]): string =>
  `${names.slice(0, mostNamed).join(", ")}${names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""}`;

const wordsOf = ({ host, dumps, snapshots, tags }: Neighbour): readonly string[] => [
  ...(dumps > 0 ? [`${figureWords("dumps", dumps)} of the installation ${host}`] : []),
  ...(snapshots > 0
    ? [
        `${figureWords("snapshots", snapshots)} of the host ${host} that this program did not make${tags.length > 0 ? ` (tags ${first(tags)})` : ""}`,
      ]
    : []),
];

/** What is there and what to do about it, in words that follow "there is no dump here". */
export const surveyWords = (
  { url, empty, repository, neighbours, below, unopened }: DestinationSurvey,
  format: "restic" | "portable",
): string => {
  if (empty)
    return `there is nothing at ${url}: mount its disk, or set dumps.destination to the place where the dumps are`;
  const found = neighbours.flatMap(wordsOf);
  const what = repository
    ? `is a restic repository${found.length > 0 ? ` with ${first(found)}` : unopened || format === "portable" ? "" : " without any complete dump"}`
    : `contains ${found.length > 0 ? first(found) : "other files and no repository"}`;
  const next: string[] = [];
  if (unopened) next.push(`it could not be read (${unopened})`);
  if (repository && format === "portable") next.push('dumps.format says "portable", and this is format "restic"');
  if (neighbours.some(({ dumps }) => dumps > 0))
    next.push("an installation's dumps are found by its id: set id to the one that took them");
  if (below.length > 0)
    next.push(`dumps are in its folders ${first(below)}: set dumps.destination to the one that you need`);
  if (next.length === 0) next.push("set dumps.destination to the place where the dumps are");
  return `${url} ${what}; ${next.join("; ")}`;
};

/** The same of a destination where no dump was found, looked at now. A failure to look hides no other. */
export const wordsOfDestination = async (context: DumpContext): Promise<string> => {
  const survey = await surveyDestination(context).catch(() => undefined);
  context.signal.throwIfAborted();
  return survey ? surveyWords(survey, context.store.format) : `${context.destination.url} could not be listed`;
};
