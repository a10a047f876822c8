import { IgnoreMode } from "aws-cdk-lib";
import { Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage, type EcrImage, type RepositoryImage } from "aws-cdk-lib/aws-ecs";

/**
 * The image that tasks run: the one named, or else one that is built from this repository when it is deployed. Synthesis
 * needs no Docker: it only copies what `.dockerignore` lets through.
 *
 * @param uri such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:…`
 */
export const taskImage = (root: string, uri: string | undefined): EcrImage | RepositoryImage | ContainerImage =>
  uri === undefined
    ? ContainerImage.fromAsset(root, {
        file: "packages/task/Dockerfile",
        platform: Platform.LINUX_ARM64,
        ignoreMode: IgnoreMode.DOCKER,
      })
    : ContainerImage.fromRegistry(uri);
