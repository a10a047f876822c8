import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { isObject, type JsonObject, maybeObject, maybeText, objectAt, textAt } from "./json.ts";

/** One stack as the CDK wrote it. */
export interface StackTemplate {
  readonly name: string;
  readonly template: JsonObject;
}

/** A cloud assembly: what `npm run synth` leaves behind and a deployment would take. */
export interface Assembly {
  readonly stacks: readonly StackTemplate[];
  /** Absolute directory or file of each asset, by the object key that templates name. */
  readonly assets: ReadonlyMap<string, string>;
  /** Account and region that the stacks were made for, where they say so. */
  readonly account?: string;
  readonly region?: string;
}

const readJson = (path: string): JsonObject => {
  try {
    return objectAt(JSON.parse(readFileSync(path, "utf8")), path);
  } catch (error) {
    throw new InvalidInputError([{ path, message: "is no JSON of a cloud assembly; run the synthesis first" }], {
      cause: error,
    });
  }
};

const assetsOf = (directory: string, file: string): [string, string][] =>
  Object.values(maybeObject(readJson(join(directory, file)).files)).flatMap((asset): [string, string][] => {
    const path = maybeText(maybeObject(maybeObject(asset).source).path);
    if (path === undefined) return [];
    return Object.values(maybeObject(maybeObject(asset).destinations)).map((destination) => [
      textAt(maybeObject(destination).objectKey, `${file}: objectKey`),
      resolve(directory, path),
    ]);
  });

/**
 * Reads `manifest.json` of a synthesised app, its templates and its lists of assets. Nested assemblies are refused.
 *
 * @throws {InvalidInputError} the directory holds no assembly, or one with parts that are not understood
 */
export const readAssembly = (directory: string): Assembly => {
  const artifacts = Object.entries(maybeObject(readJson(join(directory, "manifest.json")).artifacts));
  const stacks: StackTemplate[] = [];
  const assets = new Map<string, string>();
  let place: { account?: string; region?: string } = {};
  for (const [id, artifact] of artifacts) {
    const { type, environment, properties } = maybeObject(artifact);
    const { templateFile, stackName, file } = maybeObject(properties);
    if (type === "aws:cloudformation:stack") {
      const name = maybeText(stackName) ?? id;
      stacks.push({ name, template: readJson(join(directory, textAt(templateFile, `${id}: templateFile`))) });
      const [, account, region] = /^aws:\/\/(\d{12})\/([a-z0-9-]+)$/.exec(maybeText(environment) ?? "") ?? [];
      if (account && region && region !== "unknown-region") place = { account, region };
    } else if (type === "cdk:asset-manifest") {
      for (const [key, path] of assetsOf(directory, textAt(file, `${id}: file`))) assets.set(key, path);
    } else if (type !== "cdk:tree" && type !== "cdk:feature-flag-report") {
      throw new InvalidInputError([
        { path: `manifest.json: ${id}`, message: `is a ${String(type)}, which is not understood` },
      ]);
    }
  }
  if (stacks.length === 0 || stacks.some(({ template }) => !isObject(template.Resources))) {
    throw new InvalidInputError([{ path: directory, message: "holds a stack without resources, or none at all" }]);
  }
  return { stacks, assets, ...place };
};
