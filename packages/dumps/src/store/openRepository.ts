import type { StoreRun } from "./dumpStore.ts";
import { initAs, putNewRepository, type SourceRepository } from "./newRepository.ts";
import { repositoryObjects } from "./repositoryObjects.ts";
import type { ResticProgram, ResticSettings } from "./resticProgram.ts";

/**
 * Makes sure that there is a repository; creates it when there is none and `create` allows it.
 *
 * @param like a new repository cuts data as this one does
 * @throws {DestinationMissingError} there is none
 */
export const openRepository = async (
  { destination, location, restic: command }: Pick<ResticSettings, "destination" | "location" | "restic">,
  restic: ResticProgram,
  create: boolean,
  run: StoreRun,
  like?: SourceRepository,
): Promise<void> => {
  if (await destination.describe("config")) return;
  await repositoryObjects(destination).assertOpenable(); // a new repository among the remains of one would close them for good
  if (!create) await restic.failed("opening the repository", { code: 10, signal: null, errors: "" });
  const doing = "creating the repository";
  if (!location.cached) {
    const end = await restic.end(initAs(like), run, { environment: like?.environment ?? {} });
    if (end.code !== 0) await restic.failed(doing, end);
    return;
  }
  await restic.release();
  const password = await restic.password();
  const end = await putNewRepository(command, destination, { password, signal: run.signal, like });
  if (end.code !== 0) await restic.failed(doing, end);
};
