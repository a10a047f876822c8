import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { ownToolsDirectory, pins } from "./findTool.ts";
import { type Venv, venvs } from "./needs.ts";

const bin = join(ownToolsDirectory, "bin");

/** A directory named by what is pinned: when a pin changes, tools of before are no longer taken for today's. */
const place = (kind: string, files: readonly string[]): string => {
  const digest = createHash("sha256");
  for (const file of files) digest.update(readFileSync(file));
  return join(ownToolsDirectory, `${kind}-${digest.digest("hex").slice(0, 12)}`);
};
export const goPlace = (): string => place("go", pins.go);
/** A venv of Python: one for programs, one for what a data scientist has. */
export const venvPlace = (venv: Venv): string => place(venv, [pins[venv]]);

export const parquetJavaPlace = (): string => place("parquet-java", [pins.parquetJava]);

/** Whether `.tools/bin` has this program, made from what is pinned today. */
export const ownHas = (program: string): boolean => {
  try {
    const real = dirname(realpathSync(join(bin, program)));
    return [goPlace(), parquetJavaPlace(), ...venvs.map((venv) => join(venvPlace(venv), "bin"))].some(
      (directory) => existsSync(directory) && realpathSync(directory) === real,
    );
  } catch {
    return false; // the program or the place is absent
  }
};

/** Lets `.tools/bin` name a program that is whole; replaces what it named before in one step. */
export const publish = (program: string): void => {
  mkdirSync(bin, { recursive: true });
  const link = join(bin, basename(program));
  const next = `${link}.next`;
  rmSync(next, { force: true });
  symlinkSync(relative(bin, program), next);
  renameSync(next, link);
};
