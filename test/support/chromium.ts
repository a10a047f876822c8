import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How a page is shown. */
export interface View {
  readonly width: number;
  readonly dark?: boolean;
}

/** A page in a real browser, asked over Chromium's own protocol. */
export interface BrowserPage {
  /** Errors, warnings and refusals of the console, and every request beyond the page itself. */
  readonly complaints: readonly string[];
  view(view: View): Promise<void>;
  /** Lays the page out for paper. */
  print(screen: Pick<View, "dark">): Promise<void>;
  evaluate<Value>(expression: string): Promise<Value>;
  /** The whole page as PNG. */
  screenshot(): Promise<Buffer>;
  /** As it would be printed. */
  pdf(): Promise<Buffer>;
  /** What a screen reader gets: role and name of each node. */
  accessibleNodes(): Promise<readonly { readonly role: string; readonly name: string }[]>;
}

export interface Browser extends AsyncDisposable {
  open(url: string): Promise<BrowserPage>;
}

type Params = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, never>>;

const readAddress = async (child: ChildProcess): Promise<string> => {
  if (!child.stderr) throw new Error("Chromium has no standard error");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    const [, address] = /^DevTools listening on (ws:\S+)$/.exec(line) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`Chromium ended before it listened: ${lines.join("\n")}`);
};

const connect = async (address: string) => {
  const socket = new WebSocket(address);
  await once(socket, "open");
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  const listeners: ((method: string, params: Params, sessionId: string | undefined) => void)[] = [];
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error, method, params, sessionId } = JSON.parse(String(data));
    if (method !== undefined) for (const listener of listeners) listener(method, params, sessionId);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  });
  const send = (method: string, params: Params = {}, sessionId?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  return { send, listen: (listener: (typeof listeners)[number]) => void listeners.push(listener), socket };
};

const complaintOf = (method: string, params: Params, url: string): string | undefined => {
  const text = JSON.stringify(params);
  if (method === "Runtime.exceptionThrown" || method === "Runtime.consoleAPICalled" || method === "Log.entryAdded")
    return `${method} ${text}`;
  const { request } = params as { readonly request?: { readonly url: string } };
  return method === "Network.requestWillBeSent" && request?.url !== url ? `request of ${request?.url}` : undefined;
};

/** Starts a headless Chromium with a profile of its own; both are gone at the end of the scope. */
export const startChromium = async (): Promise<Browser> => {
  const profile = await mkdtemp(join(tmpdir(), "openemr-ops-browser-"));
  const child = spawn(
    "chromium",
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const { send, listen, socket } = await connect(await readAddress(child));

  const open = async (url: string): Promise<BrowserPage> => {
    const complaints: string[] = [];
    const { targetId } = await send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
    const ask = (method: string, params: Params = {}) => send(method, params, sessionId);
    const loaded = new Promise<void>((resolve) => {
      listen((method, params, session) => {
        if (session !== sessionId) return;
        const complaint = complaintOf(method, params, url);
        if (complaint !== undefined) complaints.push(complaint);
        if (method === "Page.loadEventFired") resolve();
      });
    });
    for (const domain of ["Page", "Runtime", "Log", "Network", "Accessibility"]) await ask(`${domain}.enable`);
    await ask("Page.navigate", { url });
    await loaded;
    return {
      complaints,
      view: async ({ width, dark = false }) => {
        await ask("Emulation.setDeviceMetricsOverride", {
          width,
          height: 900,
          deviceScaleFactor: 1,
          mobile: width < 600,
        });
        const value = dark ? "dark" : "light";
        await ask("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
      },
      print: async ({ dark = false }) => {
        const value = dark ? "dark" : "light";
        await ask("Emulation.setEmulatedMedia", {
          media: "print",
          features: [{ name: "prefers-color-scheme", value }],
        });
      },
      evaluate: async (expression) => {
        const { result, exceptionDetails } = await ask("Runtime.evaluate", { expression, returnByValue: true });
        if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
        return (result as unknown as { value: never }).value;
      },
      screenshot: async () =>
        Buffer.from((await ask("Page.captureScreenshot", { captureBeyondViewport: true })).data ?? "", "base64"),
      pdf: async () =>
        Buffer.from(
          (await ask("Page.printToPDF", { preferCSSPageSize: true, printBackground: false })).data ?? "",
          "base64",
        ),
      accessibleNodes: async () => {
        const { nodes } = (await ask("Accessibility.getFullAXTree")) as unknown as {
          readonly nodes: readonly { readonly role?: { value: string }; readonly name?: { value: string } }[];
        };
        return nodes.map(({ role, name }) => ({ role: role?.value ?? "", name: name?.value ?? "" }));
      },
    };
  };

  return {
    open,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      socket.close();
      child.kill("SIGTERM");
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};
