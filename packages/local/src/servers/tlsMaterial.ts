import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ToolFailedError } from "@openemr-ops/core/errors";

/** Paths of PEM files of a certificate authority of our own and of a server's certificate for 127.0.0.1 and localhost. */
export interface TlsMaterial {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Options that make a database server offer TLS with it. */
  readonly serverArguments: readonly string[];
}

const openssl = (directory: string, args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync("openssl", args, { cwd: directory, encoding: "utf8" });
  if (status !== 0) throw new ToolFailedError(`openssl ${args[0]} failed: ${error?.message ?? stderr}`);
};

/**
 * Makes a fresh authority and server certificate, valid for 30 days.
 *
 * @param names the server's further names, beside 127.0.0.1 and localhost
 * @throws {ToolFailedError} fatal: openssl failed
 */
export const makeTlsMaterial = (directory: string, names: readonly string[] = []): TlsMaterial => {
  mkdirSync(directory, { recursive: true });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const days = ["-days", "30"];
  const authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-subj", "/CN=Estate test authority"];
  const alternatives = ["IP:127.0.0.1", ...["localhost", ...names].map((name) => `DNS:${name}`)].join();
  const server = ["-addext", `subjectAltName=${alternatives}`, "-subj", "/CN=127.0.0.1"];
  openssl(directory, ["req", "-x509", ...key, ...days, ...authority, "-keyout", "ca.key", "-out", "ca.pem"]);
  openssl(directory, ["req", ...key, ...server, "-keyout", "server.key", "-out", "server.csr"]);
  const signedBy = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-copy_extensions", "copy"];
  openssl(directory, ["x509", "-req", "-in", "server.csr", ...signedBy, ...days, "-out", "server.pem"]);

  const [caFile, certFile, keyFile] = ["ca.pem", "server.pem", "server.key"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  return {
    caFile,
    certFile,
    keyFile,
    serverArguments: [`--ssl-ca=${caFile}`, `--ssl-cert=${certFile}`, `--ssl-key=${keyFile}`],
  };
};
