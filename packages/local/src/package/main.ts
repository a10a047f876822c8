import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitCodeOf, InvalidInputError, toOpsError } from "@openemr-ops/core/errors";
import { repositoryRoot } from "../tools/findTool.ts";
import { archive } from "./archive.ts";
import { packagedEntries } from "./contents.ts";
import { layOut, sha256Of } from "./layOut.ts";
import { nodeFor, type Processor, processors } from "./nodeFor.ts";

const say = (line: string): void => void process.stderr.write(`package: ${line}\n`);

const processorOf = (text: string): Processor => {
  const processor = processors.find((known) => known === text);
  if (processor) return processor;
  throw new InvalidInputError([{ path: "--processor", message: `expected ${processors.join(" or ")}` }]);
};

const optionsFrom = (args: readonly string[]): { readonly out: string; readonly processor: Processor } => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { out: { type: "string", default: "dist" }, processor: { type: "string", default: process.arch } },
    });
    return { out: resolve(values.out), processor: processorOf(values.processor) };
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    const message = "expected: npm run package -- [--out DIRECTORY] [--processor x64|arm64]";
    throw new InvalidInputError([{ path: "", message }], { cause });
  }
};

/** What git says of the checkout; empty where there is none. */
const git = (...args: readonly string[]): string =>
  spawnSync("git", args, { cwd: repositoryRoot, encoding: "utf8" }).stdout?.trim() ?? "";

/** `npm run package`: one archive that `install.sh` in it installs, and its digest. The same commit gives the same bytes. */
const main = async ({ out, processor }: { readonly out: string; readonly processor: Processor }): Promise<void> => {
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));
  const name = `openemr-ops-${version}-linux-${processor}`;
  const changed = git("status", "--porcelain") !== "";
  if (changed) say("the checkout has changes that are not committed; they are in the package");
  const scratch = mkdtempSync(join(tmpdir(), "openemr-ops-package-"));
  try {
    const tree = join(scratch, name);
    mkdirSync(tree, { mode: 0o755 });
    const entries = packagedEntries(nodeFor(processor, scratch));
    const commit = `${git("rev-parse", "HEAD") || "unknown"}${changed ? "+changes" : ""}`;
    await layOut(tree, entries, { version, processor, commit });
    mkdirSync(out, { recursive: true });
    const file = join(out, `${name}.tar.gz`);
    await archive(tree, `${file}.partial`, Number(git("log", "-1", "--format=%ct")));
    renameSync(`${file}.partial`, file);
    writeFileSync(`${file}.sha256`, `${await sha256Of(file)}  ${name}.tar.gz\n`);
    say(`${file}, ${(statSync(file).size / 1e6).toFixed(0)} MB, ${entries.length} files`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

try {
  await main(optionsFrom(process.argv.slice(2)));
} catch (error) {
  const named = toOpsError(error);
  say(`${named.name}: ${named.message}`);
  process.exitCode = exitCodeOf(named);
}
