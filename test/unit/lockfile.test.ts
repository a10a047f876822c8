import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

interface Locked {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

it("locks the optional packages of every platform, or npm ci refuses on all of them", () => {
  const lock: { packages: Record<string, Locked> } = JSON.parse(
    readFileSync(resolve(import.meta.dirname, "../../package-lock.json"), "utf8"),
  );
  const isLocked = (from: string, name: string): boolean => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
      if (lock.packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true;
      if (at === "") return false;
    }
  };
  const missing = Object.entries(lock.packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(from, name)),
  );

  expect(missing).toEqual([]);
  expect(Object.keys(lock.packages)).toContain("node_modules/@biomejs/cli-darwin-arm64");
});
