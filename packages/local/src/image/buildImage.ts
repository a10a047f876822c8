import { join } from "node:path";
import { repositoryRoot } from "../tools/findTool.ts";
import type { Podman } from "./podman.ts";
import type { GroundImages } from "./standIns.ts";

/** What the image is called on the machine that built it. */
export const localImage = "localhost/openemr-ops/task:latest";

/**
 * Builds the task's image as `packages/task/Dockerfile` says. Its downloads go through this machine's network.
 *
 * @param images other images than the Dockerfile's own
 * @throws {ToolFailedError} fatal: what failed is on standard error
 */
export const buildTaskImage = async (podman: Podman, images: Partial<GroundImages> = {}): Promise<void> => {
  const choices = Object.entries(images).flatMap(([name, image]) => ["--build-arg", `${name}=${image}`]);
  const file = join(repositoryRoot, "packages/task/Dockerfile");
  await podman.show(["build", "--network", "host", ...choices, "--tag", localImage, "--file", file, repositoryRoot]);
};
