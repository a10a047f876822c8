import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import { requireSection, selectInstallation } from "@openemr-ops/core/config/select";
import { withCopyTo } from "@openemr-ops/core/config/withCopyTo";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aConfig, aConfigDirectory, anInstallation, type ConfigDirectory } from "../../support/configuration.ts";

let directory: ConfigDirectory;
beforeAll(async () => {
  directory = await aConfigDirectory();
});
afterAll(() => directory[Symbol.asyncDispose]());

const copyTo = async (to: string, dumps: object = {}) => {
  const installation = anInstallation();
  const changed = anInstallation({ dumps: { ...installation.dumps, ...dumps } });
  const config = await loadConfig(await directory.write(aConfig(changed)));
  return withCopyTo(config, requireSection(config, selectInstallation(config), "dumps"), to);
};
const fileWith = async (content: object): Promise<string> => {
  const path = join(directory.path, "offsite.json");
  await writeFile(path, JSON.stringify(content));
  return path;
};
const issuesOf = async (work: Promise<unknown>) => {
  const error = await work.catch((thrown: unknown) => thrown);
  return error instanceof InvalidInputError ? error.issues.map(({ path, message }) => `${path}: ${message}`) : error;
};

const configuredCopy = {
  copies: [{ destination: "s3://clinic-a-copies/openemr", endpoint: "https://s3.example.org" }],
};

describe("a place to copy to", () => {
  it.each([
    { what: "is none", to: "ftp://example.org/a", issue: /^to: is no place that this program writes to/ },
    {
      what: "is that of the dumps",
      to: "file:///srv/backups/clinic-a",
      issue: /^to: is the same place as installations\[0\]\.dumps\./,
    },
    { what: "is inside that of the dumps", to: "file:///srv/backups/clinic-a/x", issue: /^to: is the same place/ },
    { what: "is above that of the dumps", to: "file:///srv/backups", issue: /^to: is the same place/ },
    {
      what: "is inside the sites",
      to: "file:///srv/openemr/sites/x",
      issue: /^to: and installations\[0\]\.sites\.path lie in/,
    },
  ])("is refused when it $what", async ({ to, issue }) => {
    expect(await issuesOf(copyTo(to))).toEqual([expect.stringMatching(issue)]);
  });

  it.each([
    {
      what: "that of a copy",
      content: configuredCopy.copies[0],
      issue: /^to: is the same place as installations\[0\]\.dumps\.copies\[0\]/,
    },
    {
      what: "no field of a place",
      content: { destination: "s3://offsite/a", retention: {} },
      issue: /^retention: unknown setting/,
    },
    {
      what: "two passwords",
      content: { destination: "s3://offsite/a", password: "env:A", passwordFile: "repo.password" },
      issue: /^password: say either/,
    },
    {
      what: "an absent password",
      content: { destination: "s3://offsite/a", passwordFile: "none" },
      issue: /^passwordFile: the password file does not exist/,
    },
    {
      what: "credentials for a disk",
      content: { destination: "file:///mnt/usb", credentials: "repo.password" },
      issue: /^credentials: is for destinations/,
    },
  ])("is refused when its file has $what", async ({ content, issue }) => {
    const issues = await issuesOf(copyTo(await fileWith(content as object), configuredCopy));
    expect(issues).toEqual(expect.arrayContaining([expect.stringMatching(issue)]));
  });

  it("has no password of its own for portable dumps", async () => {
    const portable = { format: "portable", passwordFile: undefined };
    const file = await fileWith({ destination: "file:///mnt/usb", passwordFile: "repo.password" });
    expect(await issuesOf(copyTo(file, portable))).toEqual([
      expect.stringMatching(/^passwordFile: is for format "restic"/),
    ]);
  });

  it("is the only copy of the installation, with names that start at its file", async () => {
    const file = await fileWith({ destination: "file:///mnt/usb/clinic-a", passwordFile: "repo.password" });
    const { config, installation } = await copyTo(file, configuredCopy);

    const password = { kind: "file", path: join(directory.path, "repo.password") };
    const place = { destination: { kind: "file", directory: "/mnt/usb/clinic-a" }, password };
    expect(installation.dumps.copies).toMatchObject([place]);
    expect(config.installations[0]).toBe(installation);
  });
});
