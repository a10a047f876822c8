import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError, SecretUnreadableError } from "@openemr-ops/core/errors";
import { storedFile } from "@openemr-ops/files/storedFile";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const field = "installations[0].rotations.database.slots";
let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-secret-"));
  path = join(directory, "slots.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const secret = () => storedFile({ path, field });
const modeOf = async (name: string) => (await stat(join(directory, name))).mode & 0o777;

describe("a secret in a file", () => {
  it("has no version before it is written, and a pending one that is not the current one yet", async () => {
    expect(await secret().versions()).toEqual([]);

    await secret().writePending("first");

    expect(await secret().versions()).toMatchObject([{ text: "first", current: false }]);
    expect(await readdir(directory)).toEqual(["slots.json.pending"]);
  });

  it("keeps the version before beside the current one, and nobody else may read any of them", async () => {
    await writeFile(path, "first", { mode: 0o644 });
    await secret().makeCurrent(await secret().writePending("second"));

    expect(await secret().versions()).toMatchObject([{ text: "second", current: true }]);
    expect(await readFile(`${path}.previous`, "utf8")).toBe("first");
    expect(await Promise.all(["slots.json", "slots.json.previous"].map(modeOf))).toEqual([0o600, 0o600]);
  });

  it("gets a pending version in place of an earlier one, and making it current may be repeated", async () => {
    await writeFile(path, "first", { mode: 0o600 });
    await secret().writePending("never in use");
    const version = await secret().writePending("second");
    expect((await secret().versions()).map(({ text }) => text)).toEqual(["first", "second"]);

    await secret().makeCurrent(version);
    await secret().makeCurrent(version);

    expect((await secret().versions()).map(({ text }) => text)).toEqual(["second"]);
    expect(await readFile(`${path}.previous`, "utf8")).toBe("first");
  });

  it("refuses to make a version current that is not there any more", async () => {
    const version = await secret().writePending("first");
    await secret().writePending("second");

    await expect(secret().makeCurrent(version)).rejects.toThrow(SecretUnreadableError);
    expect(await secret().versions()).toMatchObject([{ text: "second", current: false }]);
  });

  it("is refused when others may change it, and when it is no file; the message names the field", async () => {
    await writeFile(path, "first");
    await chmod(path, 0o620);
    await expect(secret().versions()).rejects.toThrow(SecretUnreadableError);
    await expect(secret().versions()).rejects.toThrow(`${field}: ${path} can be changed by its group`);

    await rm(path);
    await mkdir(path);
    await expect(secret().versions()).rejects.toThrow(`${field}: ${path} is a directory`);
  });

  it("is refused by name where nothing can be written", async () => {
    await writeFile(join(directory, "file"), "");
    const nowhere = storedFile({ path: join(directory, "file", "slots.json"), field });

    await expect(nowhere.writePending("first")).rejects.toThrow(InvalidInputError);
    await expect(nowhere.writePending("first")).rejects.toThrow(`${field}: no secret can be kept in ${directory}/file`);
  });
});
