import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPage } from "@openemr-ops/core/boundedPage";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";
import { redirect, startOpenEmrPages } from "@openemr-ops/local/servers/openEmrPages";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const signal = new AbortController().signal;
const options = { signal, tls: "verify" } as const;
const megabyte = 1 << 20;

describe("a page", () => {
  it("is read with status and place of a redirect, which is not followed", async () => {
    await using server = await startOpenEmrPages({ "/": redirect("/elsewhere"), "/elsewhere": "there" });

    expect(await readPage(new URL(server.url), options)).toEqual({ status: 302, location: "/elsewhere", body: "" });
    expect(await readPage(new URL("/elsewhere", server.url), options)).toEqual({ status: 200, body: "there" });
    expect((await readPage(new URL("/absent", server.url), options)).status).toBe(404);
    expect(server.seen).toEqual(["/", "/elsewhere", "/absent"]);
  });

  it("that never ends is read to the limit, and its connection is closed", async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startOpenEmrPages({
      "/": (response) => {
        response.once("close", closed.resolve);
        const more = (): void => {
          while (!response.destroyed && response.write("x".repeat(64 * 1024)));
          response.once("drain", more);
        };
        more();
      },
    });

    expect((await readPage(new URL(server.url), options)).body).toHaveLength(megabyte);
    await closed.promise;
  });

  it("that never comes is stopped by the signal, before and within its body", async () => {
    for (const body of [undefined, "begun"]) {
      const stop = new AbortController();
      await using server = await startOpenEmrPages({
        "/": (response) => {
          if (body !== undefined) response.write(body, () => setImmediate(() => stop.abort()));
          else stop.abort();
        },
      });
      const reading = readPage(new URL(server.url), { ...options, signal: stop.signal });
      await expect(reading).rejects.toSatisfy((error) => networkFailureOf(error) !== undefined);
    }
  });
});

describe("over TLS a page", () => {
  let directory: string;
  let tls: ReturnType<typeof makeTlsMaterial>;
  const certificate = () => ({ cert: readFileSync(tls.certFile, "utf8"), key: readFileSync(tls.keyFile, "utf8") });
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "openemr-ops-page-"));
    tls = makeTlsMaterial(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("is refused of a server that nobody trusts, and read where its authority is named", async () => {
    await using server = await startOpenEmrPages({ "/": "there" }, certificate());
    const url = new URL(server.url);

    await expect(readPage(url, options)).rejects.toSatisfy((error) =>
      /CERT|VERIFY/.test(networkFailureOf(error) ?? ""),
    );
    const authorities = readFileSync(tls.caFile, "utf8");
    const page = await readPage(url, { ...options, authorities });
    expect(page.body).toBe("there");
    expect(page.certificateEnds?.getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
  });

  it("is read without a look at the certificate where it shall only be encrypted", async () => {
    await using server = await startOpenEmrPages({ "/": "there" }, certificate());

    expect(await readPage(new URL(server.url), { ...options, tls: "required" })).toMatchObject({ body: "there" });
  });
});
