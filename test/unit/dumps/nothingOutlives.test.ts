import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Destination } from "@openemr-ops/core/destination";
import { DestinationFullError, RepositoryPasswordError, ToolFailedError } from "@openemr-ops/core/errors";
import type { DumpStore } from "@openemr-ops/dumps/store/dumpStore";
import { portableStore } from "@openemr-ops/dumps/store/portable";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import { directoryLocation } from "@openemr-ops/dumps/store/resticLocation";
import type { ByteSink } from "@openemr-ops/files/byteSink";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryDestination } from "../../support/memoryDestination.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "outlives-"));
});
afterEach(() => rm(directory, { recursive: true }));

const aProgram = async (name: string, script: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};

/** A store on a program of one's own in restic's place. */
const repository = async (script: string, destination: Destination = memoryDestination()): Promise<DumpStore> =>
  resticStore({
    restic: await aProgram("restic", `[ "$1" = version ] && echo "restic 0.19.1" && exit\n${script}`),
    installation: "clinic-a",
    location: directoryLocation({ kind: "file", directory: join(directory, "repository") }),
    readPassword: async () => "password",
    cacheDirectory: directory,
    destination,
  });

const isThere = (name: string): Promise<boolean> =>
  access(join(directory, name)).then(
    () => true,
    () => false,
  );
const full = async (): Promise<never> => {
  throw new DestinationFullError("no room");
};
const filesAt = async (destination: Destination): Promise<DumpStore> =>
  portableStore({
    destination,
    compression: "gzip",
    ageRecipients: [],
    tar: await aProgram(
      "tar",
      `trap 'touch "${directory}/stopped"; exit 1' INT\ntouch "${directory}/started"\nwhile :; do sleep 0.01; done`,
    ),
  });

/** Long enough for whoever does not wait. */
const someTurns = async (): Promise<void> => {
  for (let turn = 0; turn < 1000; turn++) await setImmediate();
};

const dump = { dumpId: "01JB0000000000000000000000", takenAt: new Date(0) };
const run = () => ({ signal: new AbortController().signal, progress: () => {} });

/** Sends rows until it is stopped, and takes a while to end even then. */
const slowToStop = () => {
  let ended = false;
  const produce = async (sink: ByteSink, signal: AbortSignal): Promise<void> => {
    await sink(Buffer.from("row"));
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    await someTurns();
    ended = true;
    signal.throwIfAborted();
  };
  return { produce, hasEnded: () => ended };
};

describe("a half of a dump that its store refuses", () => {
  it.each<{ store: string; open: () => Promise<DumpStore>; error: new (message: string) => Error }>([
    {
      store: "repository",
      open: () => repository('echo "Fatal: wrong password or no key found" >&2; exit 12'),
      error: RepositoryPasswordError,
    },
    {
      store: "directory of files",
      open: () => filesAt({ ...memoryDestination(), put: full }),
      error: DestinationFullError,
    },
    {
      store: "directory of files that claims to have all before it was sent",
      open: () => filesAt({ ...memoryDestination(), put: async () => ({ byteLength: 0, sha256: "", etag: "" }) }),
      error: ToolFailedError,
    },
  ])("ends with its store's error once nothing reads the database any more: $store", async ({ open, error }) => {
    const { produce, hasEnded } = slowToStop();

    await expect((await open()).writeDatabase(dump, produce, run())).rejects.toThrow(error);
    expect(hasEnded()).toBe(true);
  });

  it("leaves no tar behind", async () => {
    const fullSoon = async (): Promise<never> => {
      while (!(await isThere("started"))) await setImmediate();
      return full();
    };
    const store = await filesAt({ ...memoryDestination(), put: fullSoon });
    const sites = { ...dump, sitesPath: directory, exclude: [] };

    await expect(store.writeSites(sites, run())).rejects.toThrow(DestinationFullError);
    expect(await isThere("stopped")).toBe(true);
  });
});

it("a backup has written its note to the destination before it ends", async () => {
  const destination = memoryDestination();
  const slow: Destination = {
    ...destination,
    put: async (...args) => {
      await someTurns();
      return destination.put(...args);
    },
  };
  const store = await repository("cat >/dev/null; exit 1", slow);

  await expect(store.writeDatabase(dump, async () => {}, run())).rejects.toThrow();
  expect(destination.keys()).toEqual(["verifications/clinic-a/processes.json"]);
});
