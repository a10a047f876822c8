import type { Operations } from "@openemr-ops/task/operations";
import type { ControlPlane } from "./controlPlane.ts";
import type { Sink } from "./terminal.ts";

/** All that the program takes from its surroundings. */
export interface Surroundings {
  /** What follows the program's name. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The machine's directory of configurations; not set, only `cwd` is looked at. */
  readonly machineConfig?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly version: string;
  readonly now: () => Date;
  /** Aborted when someone asks the program to stop. */
  readonly signal: AbortSignal;
  /** Asks a person; not set when nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** Asks a person for a text, without showing it if `hidden`; not set when nobody can answer. */
  readonly prompt?: (question: string, options?: { readonly hidden?: boolean }) => Promise<string>;
  /** Loads what does the work; called only by commands that need it. */
  readonly openOperations: () => Promise<Operations>;
  /** Loads what reaches the control plane of a stage; called only by commands that need it. */
  readonly openControlPlane: (stage: string) => Promise<ControlPlane>;
  /** Waits so many milliseconds; rejects when `signal` is aborted. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}
