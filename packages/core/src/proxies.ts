import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"] as const;

const variable = (environment: Environment, name: (typeof names)[number]): string =>
  environment[name] || environment[name.toLowerCase()] || "";

/** The variables of proxies in upper case, which programs written in Go look at first, from either spelling. */
export const proxyVariables = (environment: Environment): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, variable(environment, name)]).filter(([, value]) => value !== ""));

const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

const inRange = (host: string, range: string): boolean => {
  const [, network = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(range) ?? [];
  if (!isIP(host) || !isIP(network) || Number(bits) > (isIP(network) === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), familyOf(network));
  return list.check(host, familyOf(host));
};

const excludes = (entry: string, host: string, port: string): boolean => {
  if (entry === "*") return true;
  if (inRange(host, entry)) return true;
  const [, bracketed, plain = entry, entryPort] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const name = (bracketed ?? plain).replace(/^\*\./, ".");
  return name.startsWith(".") ? host.endsWith(name) : host === name || (!isIP(host) && host.endsWith(`.${name}`));
};

/**
 * The proxy for a request, or `undefined`. The rules are those of Go's programs, so that restic and our own clients take the
 * same way: never for this machine itself; an entry of NO_PROXY is a name with all below it, an address, a range or `*`.
 *
 * Source: pkg.go.dev/golang.org/x/net/http/httpproxy#Config.
 */
export const proxyFor = ({ protocol, hostname, port }: URL, environment: Environment): string | undefined => {
  const proxy = variable(environment, protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === "") return undefined;
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$|\.$/, "$1");
  if (host === "localhost" || host === "::1" || inRange(host, "127.0.0.0/8")) return undefined;
  const entries = variable(environment, "NO_PROXY").toLowerCase().split(",");
  const asked = port || (protocol === "https:" ? "443" : "80");
  if (entries.some((entry) => entry.trim() !== "" && excludes(entry.trim(), host, asked))) return undefined;
  return /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
};
