import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool } from "../tools/findTool.ts";
import { goFor } from "../tools/go.ts";
import { importDebian } from "./debianImage.ts";
import type { Podman } from "./podman.ts";

type Say = (line: string) => void;

/** Arguments for the Dockerfile's `ARG`s of the same names. */
export interface GroundImages {
  readonly BASE: string;
  readonly NODE_IMAGE: string;
  readonly GO_IMAGE: string;
}

const names: GroundImages = {
  BASE: "localhost/openemr-ops/debian:bookworm",
  NODE_IMAGE: "localhost/openemr-ops/node:24",
  GO_IMAGE: "localhost/openemr-ops/go:1.26",
};

/** The authorities that this machine trusts; downloads inside the stand-ins go the same way as outside. */
const trusted = "/etc/ssl/certs/ca-certificates.crt";

/** Debian with directories of this machine in it; nothing of it but what the Dockerfile copies gets into the image. */
const compose = async (
  podman: Podman,
  name: string,
  parts: Readonly<Record<string, { readonly directory: string; readonly copy: string; readonly to: string }>>,
  more: readonly string[],
): Promise<void> => {
  const context = mkdtempSync(join(tmpdir(), "stand-in-"));
  try {
    if (existsSync(trusted)) copyFileSync(trusted, join(context, "trusted.pem"));
    else writeFileSync(join(context, "trusted.pem"), "");
    const copies = Object.entries(parts).map(([part, { copy, to }]) => `COPY --from=${part} ${copy} ${to}`);
    const lines = [`FROM ${names.BASE}`, `COPY trusted.pem ${trusted}`, ...copies, ...more, ""];
    writeFileSync(join(context, "Dockerfile"), lines.join("\n"));
    const contexts = Object.entries(parts).flatMap(([part, { directory }]) => [
      "--build-context",
      `${part}=${directory}`,
    ]);
    await podman.show(["build", "--quiet", "--network", "host", "--tag", name, ...contexts, context]);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
};

const nodeImage = async (podman: Podman): Promise<void> => {
  const npm = findSystemTool("npm");
  if (npm === undefined) throw new ToolMissingError("npm is not on the PATH; install it with Node");
  await compose(
    podman,
    names.NODE_IMAGE,
    {
      node: { directory: dirname(process.execPath), copy: basename(process.execPath), to: "/usr/local/bin/node" },
      npm: { directory: dirname(dirname(realpathSync(npm))), copy: ".", to: "/usr/local/lib/node_modules/npm/" },
    },
    ["RUN ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm", `ENV NODE_EXTRA_CA_CERTS=${trusted}`],
  );
};

const goImage = async (podman: Podman, say: Say): Promise<void> => {
  const scratch = mkdtempSync(join(tmpdir(), "go-"));
  try {
    const installing = { say, log: join(scratch, "install.log"), signal: new AbortController().signal };
    const go = await goFor(scratch, installing);
    const root = spawnSync(go, ["env", "GOROOT"], { encoding: "utf8" }).stdout.trim();
    await compose(podman, names.GO_IMAGE, { go: { directory: root, copy: ".", to: "/usr/local/go/" } }, [
      "ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

/**
 * Images that stand in for Debian's, Node's and Go's, made of Debian's packages, of the Node that runs this and of a Go.
 * Those that are here already are kept.
 *
 * @throws {ToolMissingError} refused: a program is missing; says how to get it
 * @throws {ToolFailedError} fatal: making one failed
 */
export const makeStandIns = async (podman: Podman, say: Say): Promise<GroundImages> => {
  const missing = async (name: string): Promise<boolean> => {
    const absent = (await podman.attempt(["image", "exists", name])).code !== 0;
    if (absent) say(`making ${name}`);
    return absent;
  };
  if (await missing(names.BASE)) await importDebian(podman, names.BASE);
  if (await missing(names.NODE_IMAGE)) await nodeImage(podman);
  if (await missing(names.GO_IMAGE)) await goImage(podman, say);
  return names;
};
