import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { type ListedDump, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { runChild } from "@openemr-ops/files/child";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor, resticsHere } from "../../support/dumpContext.ts";
import { aRepositoryPassword } from "../../support/quickRepository.ts";

let clinic: Clinic;
/** The list of the repository that the program itself wrote. */
let own: readonly ListedDump[];
const original = () => join(clinic.directory, "original/repository");
beforeAll(async () => {
  clinic = await aClinic();
  const context = await contextFor({ ...clinic, directory: join(clinic.directory, "original") });
  await takeDump(context);
  await takeDump(context);
  own = await listDumps(context);
}, 60_000);
afterAll(() => clinic.remove());

/** What a person types, with the password in the environment. */
const typed = async (program: string, args: readonly string[]) => {
  const environment = { RESTIC_PASSWORD: aRepositoryPassword, RESTIC_FROM_PASSWORD: aRepositoryPassword };
  const end = await runChild(program, args, { environment });
  expect(end.code, end.errors).toBe(0);
};

const at = async (directory: string, more: Partial<Parameters<typeof contextFor>[0]> = {}) => {
  const warnings: string[] = [];
  const context = await contextFor({
    ...clinic,
    directory: join(clinic.directory, "state"),
    dumps: { destination: `file://${directory}` },
    ...more,
    surroundings: { warn: (message) => void warnings.push(message) },
  });
  return { context, warnings };
};
const wrongPassword = { environment: { REPOSITORY_PASSWORD: "canary-not-the-password-of-it" } };

describe.each(resticsHere())("a repository that a person copied with $name", ({ restic, older }) => {
  const copy = () => join(clinic.directory, `copied-${older}`);
  beforeAll(async () => {
    await typed(restic, ["--no-cache", "init", "--repo", copy(), "--from-repo", original(), "--copy-chunker-params"]);
    await typed(restic, ["--no-cache", "copy", "--repo", copy(), "--from-repo", original()]);
    expect(await readdir(copy())).not.toContain("manifests");
  });

  it("is listed as the first one is, with all figures, from what is sealed in it", async () => {
    const { context, warnings } = await at(copy(), { restic });

    expect(await listDumps(context)).toEqual(own);
    expect(warnings).toEqual([]);
    expect(await readdir(copy())).not.toContain("manifests");
  });

  it(`is checked and ${older ? "drilled" : "restored from"}`, async () => {
    const { context } = await at(copy(), { restic });
    const places = {
      intoDatabase: `${clinic.schema.name}_c${older}`,
      intoSites: join(clinic.directory, `in-${older}`),
    };

    expect(await checkDumps(context, "read-data")).toMatchObject({ dumps: own.map(({ dumpId }) => dumpId) });
    const verdict = older ? drillDump(context, "latest") : restoreDump(context, { dump: "latest", ...places });
    expect(await verdict).toMatchObject({ verdict: "passed" });
  });

  it("is not listed as empty without its password", async () => {
    const { context } = await at(copy(), { restic, ...wrongPassword });

    await expect(listDumps(context)).rejects.toMatchObject({
      name: "RepositoryPasswordError",
      message: expect.stringMatching(/set passwordFile or password to the password that this repository was made with/),
    });
  });
});

describe("a repository that lost one of its plain manifests", () => {
  const place = () => join(clinic.directory, "lost");
  beforeAll(async () => {
    await cp(original(), place(), { recursive: true });
    await rm(join(place(), `manifests/clinic-a/${own[1]?.dumpId}.json`));
  });

  it("is listed whole with its password", async () => {
    const { context } = await at(place());

    expect(await listDumps(context)).toEqual(own);
  });

  it("is listed without its password with the number of snapshots that the list lacks", async () => {
    const { context, warnings } = await at(place(), wrongPassword);

    expect(await listDumps(context)).toEqual([{ ...own[0], sealed: null }]);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^only plain manifests are listed.*RepositoryPasswordError.*; 3 snapshots there belong to no listed dump$/,
      ),
    ]);
  });

  it.each([
    { what: "other bytes", dumpId: "01K9ZV9QK3W8QH3N2R4X7BCDEF", name: "manifest.json" },
    { what: "another file", dumpId: "01K9ZV9QK3W8QH3N2R4X7BCDEG", name: "notes.txt" },
  ])("is listed with a dump whose sealed manifest is $what, as damaged", async ({ dumpId, name }) => {
    const [{ restic = "" } = {}] = resticsHere();
    for (const kind of ["database", "sites", "manifest"]) {
      const tags = `--tag openemr-ops --tag dump=${dumpId} --tag kind=${kind}`;
      const backup = `backup --repo ${place()} --host clinic-a ${tags} --stdin --stdin-filename ${name}`;
      await typed("sh", ["-c", `echo '{}' | ${restic} --no-cache ${backup}`]);
    }
    const { context } = await at(place());

    const listed = (await listDumps(context)).find((one) => one.dumpId === dumpId);
    expect(listed).toMatchObject({ complete: false, sealed: true, problem: expect.stringMatching(/manifest/) });
    expect(listed).not.toHaveProperty("rows");
  });
});

describe("an empty list", () => {
  const said = async (directory: string, more: Partial<Parameters<typeof contextFor>[0]> = {}): Promise<string> => {
    const { context } = await at(directory, more);
    expect(await listDumps(context)).toEqual([]);
    const restoring = restoreDump(context, { dump: "latest", intoDatabase: "x", intoSites: "/nowhere/x" });
    return restoring.then(
      () => "restored",
      (error: Error) => `${error.name}: ${error.message}`,
    );
  };

  it("says that nothing is there, and which field says where to look", async () => {
    expect(await said(join(clinic.directory, "unmounted"))).toMatch(
      /^DumpNotFoundError: .* there is nothing at file:.*unmounted: mount its disk, or set dumps\.destination/,
    );
  });

  it("says whose dumps and which other snapshots the repository has", async () => {
    const [{ restic = "" } = {}] = resticsHere();
    const place = join(clinic.directory, "shared");
    await cp(original(), place, { recursive: true });
    await typed(restic, [
      "--no-cache",
      "backup",
      "--repo",
      place,
      "--host",
      "laptop",
      "--tag",
      "photos",
      clinic.sitesPath,
    ]);
    const words = await said(place, { id: "clinic-b" });

    expect(words).toMatch(/2 dumps of the installation clinic-a, 1 snapshot of the host laptop.* \(tags photos\)/);
    expect(words).toMatch(/set id to the one that took them/);
  });

  it("says that a new repository has no dump", async () => {
    const [{ restic = "" } = {}] = resticsHere();
    const place = join(clinic.directory, "new");
    await typed(restic, ["--no-cache", "init", "--repo", place]);

    expect(await said(place)).toMatch(/is a restic repository without any complete dump; set dumps\.destination/);
  });

  it("says in which folder the dumps are, and names no other file", async () => {
    const place = join(clinic.directory, "above");
    await mkdir(join(place, "letters to Canary-Patient"), { recursive: true });
    await cp(clinic.sitesPath, join(place, "letters to Canary-Patient"), { recursive: true });
    await cp(original(), join(place, "clinic-a"), { recursive: true });
    const words = await said(place);

    expect(words).toMatch(/dumps are in its folders clinic-a: set dumps\.destination to the one that you need/);
    expect(words).not.toMatch(/Canary/);
  });
});
