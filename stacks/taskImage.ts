import type { TaskSettings } from "@openemr-ops/core/config/settings";
import { IgnoreMode, type Stack } from "aws-cdk-lib";
import { Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage } from "aws-cdk-lib/aws-ecs";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { pullImage } from "./policies/pullImage.ts";

export interface TaskImage {
  /** For tasks on these processors. */
  readonly image: (architecture: TaskSettings["architecture"]) => ContainerImage;
  /** Rights to pull the image, besides those that the image grants itself. */
  readonly grants: (stack: Stack) => readonly PolicyStatement[];
}

/**
 * The image that tasks run: the given one, otherwise one that is built from this repository at deployment. Synthesis needs no
 * Docker: it only copies the files that `.dockerignore` does not exclude.
 *
 * @param uri of an image for all processors that tasks run on, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:…`
 */
export const taskImage = (root: string, uri: string | undefined): TaskImage =>
  uri === undefined
    ? {
        image: (architecture) =>
          ContainerImage.fromAsset(root, {
            file: "packages/task/Dockerfile",
            platform: architecture === "ARM64" ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64,
            ignoreMode: IgnoreMode.DOCKER,
          }),
        grants: () => [],
      }
    : { image: () => ContainerImage.fromRegistry(uri), grants: (stack) => pullImage(stack, uri) };
