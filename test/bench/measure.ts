import { spawn } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Measured {
  readonly seconds: number;
  /** Peak of resident memory of the started process itself, not of its children. Bytes. */
  readonly peakBytes: number;
  /** Of the processor, of the started process itself; to about a tenth. */
  readonly cpuSeconds: number;
  readonly output: string;
}

const peakOf = (pid: number): number => {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
};

/** Time of the processor in seconds: fields 14 and 15 of `proc(5)`, counted behind the name, which may hold spaces. */
const cpuOf = (pid: number): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
};

/** Runs a program to its end; anything but exit status 0 stops the benchmark. */
export const measure = (
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Measured> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    let output = "";
    let errors = "";
    let peakBytes = 0;
    let cpuSeconds = 0;
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid ?? 0));
      cpuSeconds = Math.max(cpuSeconds, cpuOf(child.pid ?? 0));
    }, 50);
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4000);
    });
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(timer);
      if (code !== 0)
        reject(new Error(`${command} ${args[0]} ended with status ${code}: ${errors}${output.slice(-2000)}`));
      else resolve({ seconds: (performance.now() - began) / 1000, peakBytes, cpuSeconds, output });
    });
  });

/** A pipeline as a person types it. */
export const shell = (script: string, environment: Record<string, string> = {}): Promise<Measured> =>
  measure("bash", ["-euo", "pipefail", "-c", script], environment);

export const bytesBelow = (directory: string): number =>
  readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(directory, entry.name);
    return sum + (entry.isDirectory() ? bytesBelow(path) : lstatSync(path).size);
  }, 0);
