import { proxyFor, proxyVariables } from "@openemr-ops/core/proxies";
import { describe, expect, it } from "vitest";

const proxy = "http://proxy.clinic.test:3128";
const way = (url: string, environment: Readonly<Record<string, string>>) => proxyFor(new URL(url), environment);

describe("the proxy for a request", () => {
  it.each([
    ["https://s3.test", { HTTPS_PROXY: proxy }, proxy],
    ["https://s3.test", { https_proxy: proxy }, proxy],
    ["http://s3.test", { HTTP_PROXY: proxy }, proxy],
    ["http://s3.test", { http_proxy: proxy }, proxy],
    ["http://s3.test", { HTTPS_PROXY: proxy }, undefined],
    ["https://s3.test", { HTTP_PROXY: proxy }, undefined],
    ["https://s3.test", { HTTPS_PROXY: "", https_proxy: proxy }, proxy],
    ["https://s3.test", { HTTPS_PROXY: proxy, https_proxy: "http://other.test" }, proxy],
    ["https://s3.test", { HTTPS_PROXY: "proxy.clinic.test:3128" }, proxy],
    ["https://s3.test", {}, undefined],
  ])("to %s with %o is %s", (url, environment, expected) => {
    expect(way(url, environment)).toBe(expected);
  });

  it.each(["https://localhost", "https://127.8.0.1:9000", "https://[::1]:9000"])(
    "is none to %s, which is here",
    (url) => {
      expect(way(url, { HTTPS_PROXY: proxy })).toBeUndefined();
    },
  );

  it.each([
    ["amazonaws.com", "https://clinic.s3.us-east-1.amazonaws.com", false],
    [".amazonaws.com", "https://clinic.s3.us-east-1.amazonaws.com", false],
    ["*.amazonaws.com", "https://clinic.s3.us-east-1.amazonaws.com", false],
    ["AmazonAWS.com", "https://s3.us-east-1.amazonaws.com", false],
    ["amazonaws.com", "https://s3.cn-north-1.amazonaws.com.cn", true],
    ["aws.com", "https://s3.us-east-1.amazonaws.com", true],
    ["other.test, s3.test", "https://s3.test", false],
    [".s3.test", "https://s3.test", true],
    ["s3.test:9000", "https://s3.test:9000", false],
    ["s3.test:9000", "https://s3.test", true],
    ["s3.test:443", "https://s3.test", false],
    ["10.0.0.7", "https://10.0.0.7", false],
    ["10.0.0.0/8", "https://10.200.3.1:9000", false],
    ["10.0.0.0/8", "https://11.0.0.1", true],
    ["10.0.0.0/99", "https://10.0.0.1", true],
    ["fd00::/8", "https://[fd00::7]", false],
    ["[fd00::7]:9000", "https://[fd00::7]:9000", false],
    ["*", "https://s3.test", false],
    ["", "https://s3.test", true],
  ])("with NO_PROXY %s is asked for %s: %s", (excluded, url, asked) => {
    for (const name of ["NO_PROXY", "no_proxy"])
      expect(way(url, { HTTPS_PROXY: proxy, [name]: excluded })).toBe(asked ? proxy : undefined);
  });
});

it("hands a program the variables in upper case, from either spelling", () => {
  expect(
    proxyVariables({ http_proxy: "a", HTTPS_PROXY: "b", https_proxy: "c", no_proxy: "d", ALL_PROXY: "e" }),
  ).toEqual({
    HTTP_PROXY: "a",
    HTTPS_PROXY: "b",
    NO_PROXY: "d",
  });
});
