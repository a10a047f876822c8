import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedConfig, loadConfig } from "@openemr-ops/core/config/load";
import { sampleConfigPath } from "./sampleDeployment.ts";

/** The sample configuration with so many installations, each like its first. */
export const manyInstallations = async (count: number): Promise<LoadedConfig> => {
  const sample: { readonly installations: readonly [{ readonly id: string }] } = JSON.parse(
    await readFile(sampleConfigPath, "utf8"),
  );
  const [first] = sample.installations;
  const text = JSON.stringify(first);
  const installations = Array.from({ length: count }, (_, index) =>
    JSON.parse(text.replaceAll(first.id, `hospital-of-st-${String(index).padStart(3, "0")}`)),
  );
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-many-"));
  try {
    const path = join(directory, "openemr-ops.config.json");
    await writeFile(path, JSON.stringify({ ...sample, installations }));
    return await loadConfig(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};
