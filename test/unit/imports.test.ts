import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { cloudPackages, type Room, rooms } from "../support/rooms.ts";

const typeScript = (directory: string): readonly string[] =>
  readdirSync(join(repositoryRoot, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("node_modules"))
    .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)));

/** Every module that a file names, by import, export or `import()`; types too. */
const importsOf = (file: string): readonly string[] => {
  const { module, errors } = parseSync(file, readFileSync(join(repositoryRoot, file), "utf8"));
  expect(errors, file).toEqual([]);
  const text = (start: number, end: number) => readFileSync(join(repositoryRoot, file), "utf8").slice(start, end);
  return [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.map(({ moduleRequest }) =>
      text(moduleRequest.start, moduleRequest.end).replace(/^["'`]|["'`]$/g, ""),
    ),
  ];
};

const nameOf = ({ directory }: Room): string => directory.replace(/^packages\//, "").replace(/\/src$/, "");

/** Why a file of this room may not name this module; `undefined` when it may. */
const problemOf = (room: Room, file: string, module: string): string | undefined => {
  if (module.startsWith(".")) {
    const target = relative(repositoryRoot, resolve(repositoryRoot, dirname(file), module));
    return target.startsWith(`${room.directory.replace(/\/src$/, "")}/`)
      ? undefined
      : "reaches into another room by its path";
  }
  const [, ours] = /^@openemr-ops\/([^/]+)/.exec(module) ?? [];
  if (ours !== undefined && ours !== nameOf(room) && !room.may.includes(ours)) return `imports ${ours}: ${room.why}`;
  const cloud = cloudPackages.find(
    (name) => module === name || module.startsWith(name.endsWith("/") ? name : `${name}/`),
  );
  if (cloud !== undefined && !room.clouds?.includes(cloud))
    return "knows a cloud: take a port, and let the program pass the adapter in";
  return undefined;
};

describe("imports point one way", () => {
  it.each(rooms.map((room) => ({ room, name: nameOf(room) })))("from $name", ({ room }) => {
    const problems = typeScript(room.directory).flatMap((file) =>
      importsOf(file).flatMap((module) => {
        const problem = problemOf(room, file, module);
        return problem === undefined ? [] : [`${file} names ${module}, which ${problem}`];
      }),
    );
    expect(problems).toEqual([]);
  });

  it("and every room has its rule", () => {
    const packages = readdirSync(join(repositoryRoot, "packages")).map((name) => `packages/${name}/src`);
    expect(rooms.map(({ directory }) => directory).sort()).toEqual(
      [...packages, "events", "functions", "stacks"].sort(),
    );
  });

  it("and what no file uses is not allowed either", () => {
    const unused = rooms.flatMap((room) => {
      const used = new Set(
        typeScript(room.directory)
          .flatMap(importsOf)
          .map((module) => /^@openemr-ops\/([^/]+)/.exec(module)?.[1]),
      );
      return room.may.filter((name) => !used.has(name)).map((name) => `${nameOf(room)}: ${name}`);
    });
    expect(unused).toEqual([]);
  });
});
