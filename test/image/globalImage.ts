import { buildTaskImage, localImage } from "@openemr-ops/local/image/buildImage";
import { openPodman } from "@openemr-ops/local/image/podman";
import { makeStandIns } from "@openemr-ops/local/image/standIns";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Name of the image under test. */
    image: string;
  }
}

const say = (line: string): void => {
  process.stderr.write(`image: ${line}\n`);
};

/** Builds the image once, or takes the one that `OPENEMR_OPS_IMAGE` names. */
export default async (project: TestProject): Promise<void> => {
  const named = process.env.OPENEMR_OPS_IMAGE;
  if (named === undefined) {
    using podman = openPodman();
    const started = Date.now();
    await buildTaskImage(podman, await makeStandIns(podman, say));
    say(`built in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
  project.provide("image", named ?? localImage);
};
