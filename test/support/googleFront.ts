import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";

const storageHost = "storage.googleapis.com";

/** Answers a request in Google's place; false: it is handed on to the server behind. */
export type AnswerAsGoogle = (host: string, asked: IncomingMessage, answer: ServerResponse) => Promise<boolean>;

/** Stands where Google's storage stands. */
export interface GoogleFront {
  /** What a program needs to be led here: a proxy, and the authority to trust. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
};

/**
 * Lets programs that know no other address than Google's reach a server of ours: a proxy that answers for
 * storage.googleapis.com, with a certificate in that name, and hands every request on. restic before 0.16 is such a program.
 *
 * @param url of the server behind
 * @param hosts other addresses of Google's that are led here too
 */
export const startGoogleFront = async (
  directory: string,
  url: string,
  { hosts = [], answerAs }: { readonly hosts?: readonly string[]; readonly answerAs?: AnswerAsGoogle } = {},
): Promise<GoogleFront> => {
  const names = [storageHost, ...hosts];
  const { caFile, certFile, keyFile } = makeTlsMaterial(directory, names);
  const open = new Set<Socket>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  };

  const front = createHttpsServer(
    { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    async (asked, answer) => {
      if (await answerAs?.(asked.headers.host ?? "", asked, answer)) return;
      const headers = { ...asked.headers, host: new URL(url).host };
      const forwarded = request(new URL(asked.url ?? "/", url), { method: asked.method, headers }, (answered) => {
        const { location, ...others } = answered.headers;
        const here = location?.replace(url, `https://${storageHost}`); // an upload goes on where it began
        answer.writeHead(answered.statusCode ?? 502, here === undefined ? others : { ...others, location: here });
        answered.pipe(answer);
      });
      forwarded.on("error", () => answer.destroy());
      asked.pipe(forwarded);
    },
  );
  front.on("secureConnection", keep);
  const port = await listen(front);

  const proxy = createHttpServer((_asked, answer) => answer.writeHead(501).end());
  proxy.on("connect", ({ url: target = "" }, client: Socket) => {
    const [host = "", targetPort = "443"] = target.split(":");
    const server = names.includes(host) ? connect(port, "127.0.0.1") : connect(Number(targetPort), host);
    for (const socket of [client, server]) keep(socket);
    server.on("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      server.pipe(client).pipe(server);
    });
    server.on("error", () => client.destroy());
  });
  const proxyPort = await listen(proxy);

  return {
    environment: {
      HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
      NO_PROXY: "127.0.0.1",
      SSL_CERT_FILE: caFile,
      NODE_EXTRA_CA_CERTS: caFile,
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      for (const server of [front, proxy]) await new Promise((resolve) => server.close(resolve));
    },
  };
};
