import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openDirectory } from "@openemr-ops/files/directory";
import { journalIn } from "@openemr-ops/files/journal";
import { thisProcess } from "@openemr-ops/files/processIdentity";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let base: string;
let state: string;
let place: string;
let notes: string;
const said: string[] = [];
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), "openemr-ops-journal-")));
  [state, place] = [join(base, "state"), join(base, "place")];
  notes = join(state, "made/clinic-a/drill");
  for (const path of [state, place]) await mkdir(path, { mode: 0o700 });
  said.length = 0;
});
afterEach(() => rm(base, { recursive: true, force: true }));

const journal = () => journalIn(state, "clinic-a", "drill");
const sweep = () => journal().sweep((message) => said.push(message));

/** What a killed run leaves: a directory with something in it, and a note of a process that is gone. */
const leftBehind = async (): Promise<string> => {
  await using parent = await openDirectory(place);
  await using made = await journal().make(parent);
  await mkdir(join(made.path, "tree"));
  await writeFile(join(made.path, "tree/document"), "of a patient");
  await change(made.path, (note) => ({ ...note, process: { ...thisProcess(), startedAt: "1" } }));
  return made.path;
};
const change = async (path: string, make: (note: Record<string, unknown>) => object): Promise<void> => {
  const file = join(notes, `${basename(path)}.json`);
  await writeFile(file, JSON.stringify(make(JSON.parse(await readFile(file, "utf8")))));
};

describe("what killed runs left behind", () => {
  it("is removed by the next run, with its note", async () => {
    await leftBehind();
    await sweep();

    expect({ place: await readdir(place), notes: await readdir(notes), said }).toEqual({
      place: [],
      notes: [],
      said: [],
    });
  });

  it("is removed when the run was killed before it could note which directory it made", async () => {
    const path = await leftBehind();
    await rm(join(path, "tree"), { recursive: true });
    await change(path, ({ identity: _, ...note }) => note);
    await sweep();

    expect({ place: await readdir(place), said }).toEqual({ place: [], said: [] });
  });

  it("stays while its process lives", async () => {
    const path = await leftBehind();
    await change(path, (note) => ({ ...note, process: thisProcess() }));
    await sweep();

    expect(await readdir(path)).toEqual(["tree"]);
    expect(said).toEqual([]);
  });

  it.each<{ what: string; exchange: (path: string) => Promise<unknown> }>([
    {
      what: "another directory of its name",
      exchange: async (path) => {
        await rename(path, join(base, "away"));
        await mkdir(join(path, "tree"), { recursive: true, mode: 0o700 });
      },
    },
    {
      what: "a link of its name",
      exchange: async (path) => {
        await rename(path, join(base, "away"));
        await symlink(join(base, "away"), path);
      },
    },
    { what: "one that others may enter", exchange: (path) => chmod(path, 0o755) },
    {
      what: "one of another user",
      exchange: async (path) => spawnSync("chown", ["65534", path]),
    },
    {
      what: "one of another machine",
      exchange: (path) => change(path, (note) => ({ ...note, process: { host: "elsewhere", pid: 1, startedAt: "1" } })),
    },
    {
      what: "one with content, of which no identity was noted",
      exchange: (path) => change(path, ({ identity: _, ...note }) => note),
    },
    {
      what: "one below a directory that became a link",
      exchange: async () => {
        await rename(place, join(base, "moved"));
        await symlink(join(base, "moved"), place);
      },
    },
  ])("stays, and a warning names it, when it is $what", async ({ exchange }) => {
    const path = await leftBehind();
    await exchange(path);
    await sweep();

    expect(said.join("\n")).toContain(basename(path));
    const away = await readdir(join(base, "away")).catch(() => readdir(path));
    expect(away).toEqual(["tree"]);
  });

  it("is nothing that a note names in any other way", async () => {
    const path = await leftBehind();
    const victim = join(base, "victim");
    await mkdir(victim, { mode: 0o700 });
    await writeFile(join(victim, "ledger"), "");
    await using opened = await openDirectory(victim);
    await change(path, (note) => ({ ...note, path: victim, identity: opened.identity }));
    await sweep();

    expect(await readdir(victim)).toEqual(["ledger"]);
    expect(said).toHaveLength(1);
  });

  it("stays when others may write to the state directory", async () => {
    const path = await leftBehind();
    await chmod(state, 0o777);
    await sweep();

    expect(await readdir(path)).toEqual(["tree"]);
    expect(said.join()).toContain("other users may write");
  });
});
