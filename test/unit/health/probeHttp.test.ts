import type { Page, ReadPage } from "@openemr-ops/core/boundedPage";
import { probeHttp } from "@openemr-ops/health/probeHttp";
import { describe, expect, it } from "vitest";

const base = "https://openemr.example.org/";
const form = '<form><input name="authUser"><input name="clearPass"></form>';
const checks = { installed: true, database: true, filesystem: true, session: true, oauth_keys: true, cache: true };
const ready = (changes: object = {}) => JSON.stringify({ status: "ready", checks: { ...checks, ...changes } });
const toLogin: Page = { status: 302, location: "interface/login/login.php?site=default", body: "" };
const page = (body: string, status = 200): Page => ({ status, body });

/** Pages by address; all others are absent. */
const web = (pages: Readonly<Record<string, Page>>) => {
  const asked: string[] = [];
  const fetch: ReadPage = async ({ href }) => {
    asked.push(href);
    return pages[href] ?? page("Not Found", 404);
  };
  return { asked, fetch };
};
const running = { signal: new AbortController().signal, now: () => new Date("2026-11-21T04:00:00Z") };
const look = (pages: Readonly<Record<string, Page>>, settings: object = {}) =>
  probeHttp({ url: base, tls: "verify", ...settings }, { ...running, ...web(pages) });

const readiness = `${base}meta/health/readyz`;
const loginPage = `${base}interface/login/login.php?site=default`;

describe("OpenEMR is up", () => {
  it("where its status page says that every part works", async () => {
    expect(await look({ [readiness]: page(ready()) })).toEqual({ status: "ok", detail: "OpenEMR is ready" });
  });

  it("although nobody has used its API yet, which is worth a warning", async () => {
    expect(await look({ [readiness]: page(ready({ oauth_keys: false })) })).toMatchObject({ status: "warning" });
  });

  it("where a release without that page shows its login form, one redirect on", async () => {
    const pages = { [base]: toLogin, [loginPage]: page(form) };
    const { asked, fetch } = web(pages);

    expect(await probeHttp({ url: base, tls: "verify" }, { ...running, fetch })).toMatchObject({ status: "ok" });
    expect(asked).toEqual([readiness, base, loginPage]);
  });

  it("below a path, with or without the slash at its end", async () => {
    const pages = { [`${base}openemr/meta/health/readyz`]: page(ready()) };
    for (const url of [`${base}openemr`, `${base}openemr/`])
      expect(await look(pages, { url })).toMatchObject({ status: "ok" });
  });

  it.each([
    ["meta/health/livez", '{"status":"alive"}'],
    ["meta/health/readyz", ready()],
    ["interface/login/login.php", form],
  ])("where the configuration names %s, by that page alone", async (path, body) => {
    const { asked, fetch } = web({ [base + path]: page(body) });

    expect(await probeHttp({ url: base + path, tls: "verify" }, { ...running, fetch })).toMatchObject({ status: "ok" });
    expect(asked).toEqual([base + path]);
  });

  it("with a warning when the certificate of its server ends soon", async () => {
    const ends = (day: string) => ({ ...page(ready()), certificateEnds: new Date(`2026-${day}T00:00:00Z`) });

    expect(await look({ [readiness]: ends("12-31") })).toMatchObject({ status: "ok" });
    expect(await look({ [readiness]: ends("11-25") })).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("ends in 3 days"),
    });
    expect(await look({ [readiness]: ends("11-01") })).toMatchObject({ detail: expect.stringContaining("has ended") });
  });
});

describe("OpenEMR is not up", () => {
  it.each<[string, Readonly<Record<string, Page>>, RegExp]>([
    [
      "a status page that says ready with a database that is not",
      { [readiness]: page(ready({ database: false })) },
      /database/,
    ],
    ["a status page that says ready and no more", { [readiness]: page('{"status":"ready"}') }, /installed, database/],
    [
      "an error of its own with status 200",
      { [readiness]: page('{"status":"error","message":"canary"}') },
      /error of its own/,
    ],
    ["setup required", { [readiness]: page('{"status":"setup_required","checks":{"installed":false}}') }, /not set up/],
    [
      "a redirect to its setup",
      { [base]: { status: 302, location: "setup.php?site=default", body: "" } },
      /not set up/,
    ],
    [
      "a login page that leads to its setup",
      { [base]: toLogin, [loginPage]: { status: 302, location: "/setup.php", body: "" } },
      /not set up/,
    ],
    [
      "a page of errors with status 200",
      { [base]: toLogin, [loginPage]: page("Query Error: canary. Check that mysqld is running") },
      /login form/,
    ],
    ["a login form with status 500", { [base]: toLogin, [loginPage]: page(form, 500) }, /status 500/],
    [
      "another server's login",
      { [base]: { ...toLogin, location: "https://sso.example.org/interface/login/login.php" } },
      /leads on to https:\/\/sso\.example\.org/,
    ],
    ["a redirect without a place", { [base]: page("", 301) }, /leads on to nowhere/],
    [
      "a status page that only a redirect leads to",
      { [readiness]: { status: 302, location: "/elsewhere", body: "" } },
      /status 404/,
    ],
    ["nothing at its address", {}, /status 404/],
  ])("with %s", async (_, pages, detail) => {
    const finding = await look(pages);

    expect(finding).toMatchObject({
      status: "failed",
      detail: expect.stringMatching(detail),
      next: expect.any(String),
    });
    expect(JSON.stringify(finding)).not.toContain("canary");
  });

  it.each([
    ["ECONNREFUSED", /does not answer \(ECONNREFUSED\)/],
    ["ETIMEDOUT", /does not answer/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /certificate is not trusted/],
    ["HPE_INVALID_CONSTANT", /no answer in HTTP/],
  ])("where the connection ends with %s", async (code, detail) => {
    const fetch = () => Promise.reject(Object.assign(new Error("canary"), { code }));
    const finding = await probeHttp({ url: base, tls: "verify" }, { ...running, fetch });

    expect(finding).toMatchObject({ status: "failed", detail: expect.stringMatching(detail) });
    expect(JSON.stringify(finding)).not.toContain("canary");
  });
});

describe("a page of somebody else", () => {
  const settings = { bodyIncludes: "all is well" };

  it("is healthy with status 200 and its text, by one request to exactly that address", async () => {
    const { asked, fetch } = web({ [base]: page("<p>all is well</p>") });

    expect(await probeHttp({ url: base, tls: "verify", ...settings }, { ...running, fetch })).toMatchObject({
      status: "ok",
    });
    expect(asked).toEqual([base]);
  });

  it.each<[string, Page]>([
    ["another text", page("all is lost")],
    ["another status", page("all is well", 503)],
    ["a redirect, even to the text", { status: 302, location: `${base}well`, body: "all is well" }],
  ])("is not with %s", async (_, answer) => {
    expect(await look({ [base]: answer, [`${base}well`]: page("all is well") }, settings)).toMatchObject({
      status: "failed",
    });
  });
});

it("a look stops with its job, and not as a failure of OpenEMR", async () => {
  const stop = new AbortController();
  const fetch: ReadPage = (_, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const looking = probeHttp({ url: base, tls: "verify" }, { signal: stop.signal, fetch });
  stop.abort(new Error("stopped"));

  await expect(looking).rejects.toThrow("stopped");
});
