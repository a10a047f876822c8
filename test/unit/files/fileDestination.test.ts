import { execFile } from "node:child_process";
import { rmSync, type Stats } from "node:fs";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  DestinationAccessDeniedError,
  DestinationMissingError,
  DestinationUnavailableError,
  InvalidInputError,
} from "@openemr-ops/core/errors";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { createFile, replaceFile } from "@openemr-ops/files/stateFiles";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { destinationContract, keysOf } from "../../contract/destination.ts";
import { seededBytes, streamOf } from "../../support/bytes.ts";

let base: string;
let count = 0;
const hoursFromNow = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);
const freshDirectory = (): string => join(base, String(count++), "deeper", "store");

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "file-destination-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

destinationContract(
  "a directory",
  async () => {
    const directory = freshDirectory();
    return { destination: fileDestination(directory), neighbour: fileDestination(`${directory}2`) };
  },
  { histories: 60 },
);

describe("a directory as a destination, beyond the contract", () => {
  it("is for its owner alone", async () => {
    const directory = freshDirectory();
    await fileDestination(directory).put("a/b/c", Buffer.from("1"));

    const modes = await Promise.all(
      [directory, join(directory, "a"), join(directory, "a/b"), join(directory, "a/b/c")].map(
        async (path) => (await stat(path)).mode & 0o777,
      ),
    );
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
  });

  it("leaves no unfinished file when a stream breaks off", async () => {
    const directory = freshDirectory();
    const broken = streamOf(seededBytes(1, 1000), new Error("broken"));

    await expect(fileDestination(directory).put("a", broken)).rejects.toThrow("broken");
    expect(await readdir(directory, { recursive: true })).toEqual([".incoming"]);
  });

  it("removes what a crash left when it is older than a day, and keeps what may still be written", async () => {
    const directory = freshDirectory();
    const incoming = join(directory, ".incoming");
    await mkdir(incoming, { recursive: true });
    await writeFile(join(incoming, "half"), "half");
    await fileDestination(directory, { now: () => hoursFromNow(23) }).put("a", Buffer.from("1"));
    expect(await readdir(incoming)).toEqual(["half"]);

    const destination = fileDestination(directory, { now: () => hoursFromNow(25) });
    await destination.put("a", Buffer.from("1"));
    expect(await readdir(incoming)).toEqual([]);
    expect(await keysOf(destination)).toEqual(["a"]);
  });

  it("does not take what another put has in work for old because the file it is a copy of is", async () => {
    const directory = freshDirectory();
    const incoming = join(directory, ".incoming");
    await mkdir(incoming, { recursive: true });
    await writeFile(join(incoming, "of another put"), "whole");
    await utimes(join(incoming, "of another put"), new Date(), new Date("2020-01-01T00:00:00Z"));

    await fileDestination(directory).put("a", Buffer.from("1"));
    expect(await readdir(incoming)).toEqual(["of another put"]);
  });

  it("keeps its own folder out of reach", async () => {
    const destination = fileDestination(freshDirectory());

    await expect(destination.put(".incoming/a", Buffer.from("1"))).rejects.toThrow(InvalidInputError);
    await expect(destination.get(".incoming/a")).rejects.toThrow(InvalidInputError);
  });

  it("does not follow links that lead out of it", async () => {
    const directory = freshDirectory();
    const outside = join(base, "outside");
    await mkdir(outside, { recursive: true });
    await mkdir(directory, { recursive: true });
    await writeFile(join(outside, "secret"), "outside");
    await symlink(outside, join(directory, "folder"));
    await symlink(join(outside, "secret"), join(directory, "file"));
    const destination = fileDestination(directory);

    await expect(destination.get("folder/secret")).rejects.toThrow(DestinationAccessDeniedError);
    await expect(destination.put("folder/new", Buffer.from("1"))).rejects.toThrow(DestinationAccessDeniedError);
    await expect(destination.put("folder/made/new", Buffer.from("1"))).rejects.toThrow(DestinationAccessDeniedError);
    await expect(destination.delete("folder/secret")).rejects.toThrow(DestinationAccessDeniedError);
    expect(await destination.get("file")).toBeUndefined();
    expect(await keysOf(destination)).toEqual([]);
    expect(await keysOf(destination, "folder/")).toEqual([]);
    expect(await readdir(outside)).toEqual(["secret"]);
  });

  it("replaces a link rather than writing through it", async () => {
    const directory = freshDirectory();
    await mkdir(directory, { recursive: true });
    await writeFile(join(base, "target"), "untouched");
    await symlink(join(base, "target"), join(directory, "a"));

    await fileDestination(directory).put("a", Buffer.from("new"));

    expect(await readFile(join(base, "target"), "utf8")).toBe("untouched");
    expect(await readFile(join(directory, "a"), "utf8")).toBe("new");
  });

  it("may itself be reached through a link", async () => {
    const directory = freshDirectory();
    await mkdir(directory, { recursive: true });
    await symlink(directory, `${directory}-link`);
    const destination = fileDestination(`${directory}-link`);
    await destination.put("a/b", Buffer.from("1"));

    expect(await keysOf(destination, "a/")).toEqual(["a/b"]);
  });

  it("says that a directory is missing where a file stands", async () => {
    const directory = freshDirectory();
    await mkdir(join(directory, ".."), { recursive: true });
    await writeFile(directory, "not a directory");

    await expect(fileDestination(directory).put("a", Buffer.from("1"))).rejects.toThrow(DestinationMissingError);
  });

  it("says that a key is taken by a directory, and the other way round", async () => {
    const destination = fileDestination(freshDirectory());
    await destination.put("a/b", Buffer.from("1"));

    await expect(destination.put("a", Buffer.from("2"))).rejects.toThrow(DestinationMissingError);
    await expect(destination.put("a/b/c", Buffer.from("3"))).rejects.toThrow(DestinationMissingError);
    expect(await keysOf(destination)).toEqual(["a/b"]);
  });

  it("stores an object although another put publishes its own while old leftovers are looked for", async () => {
    const directory = freshDirectory();
    const incoming = join(directory, ".incoming");
    await mkdir(incoming, { recursive: true });
    await writeFile(join(incoming, "of another put"), "whole");
    const now = () => {
      rmSync(join(incoming, "of another put")); // between the list and the look at its age
      return new Date();
    };

    await fileDestination(directory, { now }).put("a", Buffer.from("1"));
    expect(await keysOf(fileDestination(directory))).toEqual(["a"]);
  });

  it("puts and deletes beside each other in one folder without losing anything", async () => {
    const destination = fileDestination(freshDirectory());
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        await destination.put(`locks/deep/${index}`, Buffer.from("1"));
        if (index % 2 === 0) await destination.delete(`locks/deep/${index}`);
      }),
    );

    expect(await keysOf(destination)).toHaveLength(20);
  });
});

describe("a directory that cannot be written to", () => {
  it("denies access, to root too", async () => {
    const destination = fileDestination("/sys/kernel/openemr-ops-test");

    await expect(destination.put("a", Buffer.from("1"))).rejects.toThrow(DestinationAccessDeniedError);
    expect(await destination.get("a")).toBeUndefined();
    expect(await keysOf(destination)).toEqual([]);
  });

  it("is full when a file may not grow, keeps the old object and no unfinished file", async () => {
    const directory = freshDirectory();
    await fileDestination(directory).put("a", Buffer.from("old"));
    const program = `
      import { fileDestination } from "@openemr-ops/files/fileDestination";
      await fileDestination(process.argv[1]).put("a", Buffer.alloc(1_000_000)).catch((error) => console.log(error.name));
    `;
    const limited = `ulimit -f 100; exec "$0" --input-type=module -e "$1" "$2"`; // in KiB; Node gets EFBIG, as from a quota
    const { stdout } = await promisify(execFile)("bash", ["-c", limited, process.execPath, program, directory]);

    expect(stdout).toBe("DestinationFullError\n");
    expect(await readFile(join(directory, "a"), "utf8")).toBe("old");
    expect(await readdir(join(directory, ".incoming"))).toEqual([]);
  });
});

/** Makes every call of one kind on a directory that is open fail, as file systems do that cannot do it. */
const directoriesRefuseSync = async (code: string) => {
  const handle = await open(base, "r");
  const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void>; stat(): Promise<Stats> };
  await handle.close();
  const { sync } = prototype;
  return vi.spyOn(prototype, "sync").mockImplementation(async function (this: typeof prototype) {
    if ((await this.stat()).isDirectory()) throw Object.assign(new Error(`${code}: fsync`), { code, syscall: "fsync" });
    return sync.call(this);
  });
};

describe("a file system that cannot write out directories", () => {
  it.each(["EINVAL", "ENOTSUP", "EOPNOTSUPP"])("takes objects all the same, and says so once (%s)", async (code) => {
    using _ = await directoriesRefuseSync(code);
    const warnings: string[] = [];
    const destination = fileDestination(freshDirectory(), { warn: (message) => void warnings.push(message) });

    await destination.put("a/b", Buffer.from("1"));
    await destination.put("a/c", Buffer.from("2"));
    await destination.delete("a/b");

    expect(await keysOf(destination, "")).toEqual(["a/c"]);
    expect(warnings).toEqual([expect.stringContaining("power cut")]);
  });

  it.each(["EINVAL", "ENOTSUP"])("keeps the state of jobs too (%s)", async (code) => {
    using _ = await directoriesRefuseSync(code);
    const path = join(freshDirectory(), "state.json");
    await replaceFile(path, "{}");
    expect(await readFile(path, "utf8")).toBe("{}");
    expect(await createFile(`${path}.lock`, "{}")).toBe(true);
  });

  it("is not one whose disk fails", async () => {
    using _ = await directoriesRefuseSync("EIO");
    await expect(fileDestination(freshDirectory()).put("a", Buffer.from("1"))).rejects.toThrow(
      DestinationUnavailableError,
    );
  });
});

describe("every failure of a directory", () => {
  it.each(Object.keys(constants.errno))("%s has a name that is the destination's or this machine's", async (code) => {
    using _ = await directoriesRefuseSync(code);
    const outcome = await fileDestination(freshDirectory())
      .put("a", Buffer.from("1"))
      .then(
        () => "stored",
        (error: Error) => error.name,
      );
    expect(outcome).toMatch(/^(stored|LocalSystemError|Destination(Full|AccessDenied|Missing|Unavailable)Error)$/);
    const state = await replaceFile(join(freshDirectory(), "state.json"), "{}").then(
      () => "stored",
      (error: Error) => error.name,
    );
    expect(state).toMatch(/^(stored|InvalidInputError|DiskFullError|LocalSystemError)$/);
  });
});
