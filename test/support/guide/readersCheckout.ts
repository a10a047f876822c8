import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";

/** This repository as a reader has it after `npm ci`: a clone in a directory of its own, with this one's packages. */
export const readersCheckout = (directory: string): void => {
  const git = (cwd: string, ...args: string[]) => execFileSync("git", args, { cwd, encoding: "utf8" });
  const files = git(repositoryRoot, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0");
  for (const file of files.filter(Boolean)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    cpSync(join(repositoryRoot, file), join(directory, file));
  }
  symlinkSync(join(repositoryRoot, "node_modules"), join(directory, "node_modules"));
  const who = ["-c", "user.name=reader", "-c", "user.email=reader@example.org"];
  git(directory, "init", "--quiet");
  git(directory, "add", "--all");
  git(directory, ...who, "commit", "--quiet", "--message", "The release");
};
