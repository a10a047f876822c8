import type { LoadedConfig } from "@openemr-ops/core/config/load";
import type { ControlPlane } from "../controlPlane.ts";
import type { CommonOptions } from "../invocation.ts";
import type { Output } from "../output.ts";

/** What a command works with that talks to the control plane. */
export interface ControlContext extends ControlPlane {
  readonly stage: string;
  readonly output: Output;
  readonly common: CommonOptions;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Waits so many milliseconds; rejects when `signal` is aborted. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** Reads the configuration, for commands that need one. @throws {InvalidInputError} fatal */
  readonly readConfig: () => Promise<LoadedConfig>;
  /** Asks a person; not set when nobody can answer. */
  readonly ask?: (question: string) => Promise<boolean>;
}
