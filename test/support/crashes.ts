import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import type { ProgramEnd, RealCommandLine } from "./realCommandLine.ts";

const preload = join(repositoryRoot, "test/support/crashPoint.ts");

export interface CrashedRun extends ProgramEnd {
  /** Effects in order; of a run that was killed, the last one did not happen. */
  readonly effects: readonly string[];
  readonly killed: boolean;
}

let traces = 0;

/** Runs the program until its effect number `at`, counted from 1; 0 lets it come to its end. */
export const crashAt = async (
  program: Pick<RealCommandLine, "run">,
  args: readonly string[],
  at: number,
  directory: string,
): Promise<CrashedRun> => {
  const trace = join(directory, `effects-${++traces}.txt`);
  const environment = { CRASH_AT: String(at), CRASH_TRACE: trace };
  const end = await program.run(args, { preload, environment });
  const effects = (await readFile(trace, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  return { ...end, effects, killed: end.signal === "SIGKILL" };
};

/** Programs whose arguments or environment hold this text, by number. */
export const programsWith = async (text: string): Promise<readonly number[]> => {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const read = (what: string) => readFile(join("/proc", name, what), "latin1").catch(() => "");
    if (`${await read("cmdline")}\0${await read("environ")}`.includes(text)) found.push(Number(name));
  }
  return found;
};

/** Ends a program as the system would; one that has come to its end meanwhile is left. */
export const killProgram = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (systemCodeOf(error) !== "ESRCH") throw error; // it came to its end meanwhile
  }
};

/** Ends the programs of this name among them, as a machine short of memory would. */
export const killPrograms = async (name: string, text: string): Promise<void> => {
  for (const pid of await programsWith(text)) {
    const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    if (basename(command.split("\0")[0] ?? "") === name) killProgram(pid);
  }
};

/**
 * Programs outlive their killed parent for a moment. A container that is stopped takes them along (`die`); on a host they
 * come to their end (`end`).
 */
export const settleOrphans = async (text: string, how: "die" | "end"): Promise<void> => {
  const seen = new Set<number>();
  let quiet = 0;
  for (let look = 0; look < 400; look++) {
    for (const pid of await programsWith(text)) {
      seen.add(pid);
      if (how === "die") killProgram(pid);
    }
    // A dead program keeps its number until its parent takes notice, and locks with this number count until then.
    for (const pid of seen) if (!existsSync(join("/proc", String(pid)))) seen.delete(pid);
    // One that was just started shows neither arguments nor environment yet: look again before believing it.
    quiet = seen.size === 0 ? quiet + 1 : 0;
    if (quiet === 3) return;
    await sleep(50);
  }
  throw new Error(`programs started for ${text} do not end`);
};

/** What an effect does, whatever the names: `sql CREATE TABLE`, `rename …/*.json`. */
const kindOf = (effect: string): string =>
  effect.startsWith("sql ")
    ? effect.split(" ").slice(0, 3).join(" ")
    : effect
        .replace(/[0-9A-HJKMNP-TV-Z]{26}/gi, "*")
        .replace(/\d{6,}/g, "*")
        .replace(/-\d+\b/g, "-*");

/** Numbers of the first and the last effect of each kind: a loop is left at its beginning and at its end. */
export const pointsOf = (effects: readonly string[]): readonly number[] => {
  const kinds = effects.map(kindOf);
  return kinds.flatMap((kind, index) =>
    kinds.indexOf(kind) === index || kinds.lastIndexOf(kind) === index ? [index + 1] : [],
  );
};

/** Does the work for each item, a few at a time: most of it is waiting for programs. */
export const aFewAtATime = async <Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  atOnce = 3,
): Promise<void> => {
  const waiting = [...items];
  const one = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
};
