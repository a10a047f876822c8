import { exitCodeOf, toOpsError } from "@openemr-ops/core/errors";
import { buildTaskImage, localImage } from "./buildImage.ts";
import { openPodman } from "./podman.ts";
import { makeStandIns } from "./standIns.ts";

/** `npm run image`: builds the task's image where no registry of images is in reach. */
const say = (line: string): void => {
  process.stderr.write(`image: ${line}\n`);
};

try {
  using podman = openPodman();
  const started = Date.now();
  const images = await makeStandIns(podman, say);
  const grounded = Date.now();
  await buildTaskImage(podman, images);
  const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(0);
  const size = Number(await podman.run(["image", "inspect", "--format", "{{.Size}}", localImage]));
  say(
    `${localImage}, ${(size / 1e6).toFixed(0)} MB; stand-ins ${seconds(started, grounded)} s, build ${seconds(grounded, Date.now())} s`,
  );
} catch (error) {
  const named = toOpsError(error);
  say(`${named.name}: ${named.message}`);
  process.exitCode = exitCodeOf(named);
}
