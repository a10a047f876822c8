import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ToolFailedError } from "@openemr-ops/core/errors";
import type { Installing } from "./run.ts";

const central = "https://repo1.maven.org/maven2";

/** The jars of a file of pins: a SHA-256 and a path in Maven Central on each line. */
const pinnedJars = (pins: string) =>
  readFileSync(pins, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(/\s+/) as [sha256: string, path: string]);

/**
 * Fetches what a file of pins names, and puts a program beside it that starts Java with all of it.
 *
 * @param program its name in `directory`
 * @throws {ToolFailedError} fatal: a jar cannot be had, or is not the one that is pinned; nothing is left
 */
export const fetchJars = async (
  directory: string,
  program: string,
  pins: string,
  { signal }: Installing,
): Promise<void> => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  try {
    for (const [sha256, path] of pinnedJars(pins)) {
      const answer = await fetch(`${central}/${path}`, { signal });
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (!answer.ok || createHash("sha256").update(bytes).digest("hex") !== sha256)
        throw new ToolFailedError(
          `${path} of Maven Central is not what ${basename(pins)} pins: status ${answer.status}`,
        );
      writeFileSync(join(directory, basename(path)), bytes);
    }
    const script = join(directory, program);
    writeFileSync(script, '#!/bin/sh\nexec java -cp "$(dirname "$(readlink -f "$0")")/*" "$@"\n');
    chmodSync(script, 0o755);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
};
