import { isLoginPage, leadsTo, readSelfReport } from "@openemr-ops/openemr/pages";
import { describe, expect, it } from "vitest";

const checks = { installed: true, database: true, filesystem: true, session: true, oauth_keys: true, cache: true };
const ready = (changes: object = {}) => JSON.stringify({ status: "ready", checks: { ...checks, ...changes } });

describe("what OpenEMR says of itself", () => {
  it("is taken from the body: it says ready whatever its checks say", () => {
    expect(readSelfReport(ready())).toEqual({ state: "ready", failed: [], unused: [] });
    expect(readSelfReport(ready({ database: false, cache: false }))).toMatchObject({ failed: ["database", "cache"] });
    expect(readSelfReport('{"status":"ready"}')).toMatchObject({
      failed: ["installed", "database", "filesystem", "session", "cache"],
    });
  });

  it("is no failure where nobody has used the API yet", () => {
    expect(readSelfReport(ready({ oauth_keys: false }))).toEqual({
      state: "ready",
      failed: [],
      unused: ["oauth_keys"],
    });
  });

  it.each([
    ['{"status":"alive"}', "alive"],
    ['{"status":"setup_required","checks":{"installed":false}}', "setup"],
    [ready({ installed: false }), "setup"],
    ['{"status":"error","message":"canary-host refused canary-user"}', "error"],
  ])("%s is %s, and nothing of its message is handed on", (body, state) => {
    expect(readSelfReport(body)).toMatchObject({ state });
    expect(JSON.stringify(readSelfReport(body))).not.toContain("canary");
  });

  it.each(["", "<html>", "null", "[]", '{"error":"not found"}', '{"status":"ok"}'])("%s says nothing", (body) => {
    expect(readSelfReport(body)).toBeUndefined();
  });
});

describe("the login page", () => {
  it("is known by both fields of its form, however they are quoted", () => {
    expect(isLoginPage("<input name=\"authUser\" /><input id = 'clearPass'>")).toBe(true);
    expect(isLoginPage("<INPUT name=authUser><INPUT name=clearPass>")).toBe(true);
  });

  it.each([
    "",
    "<h1>Query Error</h1> Check that mysqld is running",
    '<input name="authUser">',
    "Undefined index: authUser, clearPass",
    '<input name="authUserOther"><input name="clearPassword">',
  ])("is not %s", (body) => {
    expect(isLoginPage(body)).toBe(false);
  });

  it.each([
    ["http://h/openemr/interface/login/login.php?site=default", "login"],
    ["http://h/setup.php?site=default", "setup"],
    ["http://h/sso?next=/interface/login/login.php", "elsewhere"],
  ])("a redirect to %s leads to %s", (url, where) => {
    expect(leadsTo(new URL(url))).toBe(where);
  });
});
