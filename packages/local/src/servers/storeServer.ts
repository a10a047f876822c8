import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { findTool } from "../tools/findTool.ts";
import { startChildServer } from "./childServer.ts";
import { freePort } from "./freePort.ts";

/** A server of others' making that plays a cloud's object store. */
export interface StoreServer {
  readonly url: string;
  /** Ends it and removes what it kept; safe to repeat. */
  stop(): Promise<void>;
}

/** One that speaks S3, and who may use it. */
export interface S3Server extends StoreServer {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface StoreServerPlan {
  /** As `findTool` knows it. */
  readonly tool: string;
  readonly args: (place: { readonly port: number; readonly directory: string }) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Answers, with any status, once the server is up. */
  readonly probePath: string;
}

/**
 * Starts such a server on a free port, with a directory of its own.
 *
 * @throws {ToolMissingError} refused: the program is not installed
 * @throws {ToolFailedError} fatal: it did not start
 */
export const startStoreServer = async ({ tool, args, env, probePath }: StoreServerPlan): Promise<StoreServer> => {
  const command = findTool(tool);
  if (!command) throw new ToolMissingError(`${tool} is not installed: run "npm run tools"`);
  const directory = await mkdtemp(join(tmpdir(), `${tool}-`));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = await startChildServer({
      command,
      args: args({ port, directory }),
      env: { PATH: "/usr/bin:/bin", ...env },
      logFile: join(directory, "server.log"),
      ready: async () => (await fetch(url + probePath, { signal: AbortSignal.timeout(2000) })).arrayBuffer(),
    });
    const stop = async () => {
      await server.stop();
      await remove();
    };
    return { url, stop };
  } catch (error) {
    await remove();
    throw error;
  }
};
