import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChildServer } from "./childServer.ts";
import { motoAccessKeys } from "./motoAccessKeys.ts";
import { type ReceivedMessage, startSesSmtp } from "./sesSmtp.ts";
import { makeTlsMaterial, type TlsMaterial } from "./tlsMaterial.ts";

/** What the child process needs; it is the program's one argument, and contains no secret. */
export interface SesSmtpProcessPlan {
  /** Gets certificates, what the server prints, and the messages that it accepted. */
  readonly directory: string;
  readonly region: string;
  /** moto's server, and the user whose keys open this one. */
  readonly url: string;
  readonly user: string;
  readonly appearsAfterMs?: number;
  readonly vanishesAfterMs?: number;
  readonly machines?: number;
}

/** The same server as `startSesSmtp`, in a process of its own: for tests that block theirs, and for demonstrations. */
export interface SesSmtpProcess extends AsyncDisposable {
  readonly startTlsPort: number;
  readonly implicitPort: number;
  readonly caFile: string;
  received(): readonly ReceivedMessage[];
  /** Safe to repeat. */
  stop(): Promise<void>;
}

const portsFile = "ports.json";
const messagesFile = "messages.jsonl";

export const startSesSmtpProcess = async (plan: SesSmtpProcessPlan): Promise<SesSmtpProcess> => {
  const { directory } = plan;
  const { caFile } = makeTlsMaterial(directory);
  const read = () => JSON.parse(readFileSync(join(directory, portsFile), "utf8"));
  const server = await startChildServer({
    command: process.execPath,
    args: [fileURLToPath(import.meta.url), JSON.stringify(plan)],
    env: { PATH: "/usr/bin:/bin" },
    logFile: join(directory, "server.log"),
    ready: async () => read(),
  });
  const messages = join(directory, messagesFile);
  return {
    ...(read() as { startTlsPort: number; implicitPort: number }),
    caFile,
    received: () =>
      (existsSync(messages) ? readFileSync(messages, "utf8").trimEnd().split("\n") : []).map((line) => {
        const { raw, ...message } = JSON.parse(line);
        return { ...message, raw: Buffer.from(raw, "base64") };
      }),
    stop: server.stop,
    [Symbol.asyncDispose]: server.stop,
  };
};

/** What the child process does. */
const serve = async (plan: SesSmtpProcessPlan): Promise<void> => {
  const { directory, url, user, ...options } = plan;
  const file = (name: string) => join(directory, name);
  const tls: Pick<TlsMaterial, "certFile" | "keyFile"> = { certFile: file("server.pem"), keyFile: file("server.key") };
  const server = await startSesSmtp({
    ...options,
    tls,
    keys: motoAccessKeys(url, user),
    onMessage: ({ raw, ...message }) =>
      writeFile(file(messagesFile), `${JSON.stringify({ ...message, raw: raw.toString("base64") })}\n`, { flag: "a" }),
  });
  const { startTlsPort, implicitPort } = server;
  await writeFile(file(portsFile), JSON.stringify({ startTlsPort, implicitPort }));
  process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
};

const [, program, argument] = process.argv;
if (program === fileURLToPath(import.meta.url)) await serve(JSON.parse(argument ?? "") as SesSmtpProcessPlan);
