import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { proxyFor } from "@openemr-ops/core/proxies";
import { NodeHttpHandler, type NodeHttpHandlerOptions } from "@smithy/node-http-handler";

/** Sends each request through the proxy that the environment names for its server; the SDK itself looks at no proxy. */
export class ProxiedHandler extends NodeHttpHandler {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #options: NodeHttpHandlerOptions;
  readonly #behind = new Map<string, NodeHttpHandler>();

  constructor(environment: Readonly<Record<string, string | undefined>>, options: NodeHttpHandlerOptions) {
    super(options);
    this.#environment = environment;
    this.#options = options;
  }

  override handle(...[request, options]: Parameters<NodeHttpHandler["handle"]>): ReturnType<NodeHttpHandler["handle"]> {
    const { protocol, hostname, port } = request;
    const proxy = proxyFor(new URL(`${protocol}//${hostname}${port ? `:${port}` : ""}`), this.#environment);
    return proxy ? this.#through(proxy).handle(request, options) : super.handle(request, options);
  }

  #through(proxy: string): NodeHttpHandler {
    const found = this.#behind.get(proxy);
    if (found) return found;
    const agent = { keepAlive: true, maxSockets: 50, proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } };
    // Whole agents: in place of its own the handler takes another for large bodies, which would pass the proxy by.
    const agents = { httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent(agent) };
    const made = new NodeHttpHandler({ ...this.#options, ...agents });
    this.#behind.set(proxy, made);
    return made;
  }

  override destroy(): void {
    super.destroy();
    for (const handler of this.#behind.values()) handler.destroy();
  }
}
