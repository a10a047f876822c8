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
    const proxyEnv = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const agent = { keepAlive: true, maxSockets: 50, proxyEnv };
    const handler =
      this.#behind.get(proxy) ?? new NodeHttpHandler({ ...this.#options, httpAgent: agent, httpsAgent: agent });
    this.#behind.set(proxy, handler);
    return handler;
  }

  override destroy(): void {
    super.destroy();
    for (const handler of this.#behind.values()) handler.destroy();
  }
}
