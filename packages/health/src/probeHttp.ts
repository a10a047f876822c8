import { readFile } from "node:fs/promises";
import { type Page, type PageOptions, type ReadPage, readPage } from "@openemr-ops/core/boundedPage";
import type { HealthSettings } from "@openemr-ops/core/config/settings";
import type { HealthCheck } from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";
import {
  isLoginPage,
  leadsTo,
  livenessPage,
  readinessPage,
  readSelfReport,
  type SelfReport,
} from "@openemr-ops/openemr/pages";

/** What one look found. */
export interface Finding extends Pick<HealthCheck, "status" | "detail" | "next"> {
  /** Numbers and identifiers for the job's record. */
  readonly figures?: Readonly<Record<string, number>>;
  readonly result?: Readonly<Record<string, string>>;
}

/** A page that is looked at. */
export type HttpTarget = Pick<HealthSettings, "url" | "tls"> & {
  readonly [Name in "bodyIncludes" | "caFile"]?: HealthSettings[Name] | undefined;
};

export interface HttpPorts {
  /** Aborted when the job shall stop. */
  readonly signal: AbortSignal;
  /** Not set, pages are read over the network. */
  readonly fetch?: ReadPage;
  readonly now?: () => Date;
}

const longestWait = 15_000;
const warnDays = 14;
const readLog = "read the web server's and PHP's log";

export const notInstalled: Finding = {
  status: "failed",
  detail: "OpenEMR is not set up: it waits for its setup, which would empty a database that it finds",
  next: "start no container and no setup; find out where sites/default/sqlconf.php is, and put it back",
};

const ofReport = (report: SelfReport): Finding => {
  switch (report.state) {
    case "setup":
      return notInstalled;
    case "error":
      return { status: "failed", detail: "OpenEMR reports an error of its own, often of its database", next: readLog };
    case "alive":
      return { status: "ok", detail: "PHP answers; this page says nothing of the database" };
    case "ready": {
      const { failed, unused } = report;
      if (failed.length > 0)
        return {
          status: "failed",
          detail: `OpenEMR reports that these do not work: ${failed.join(", ")}`,
          next: readLog,
        };
      if (unused.length > 0)
        return {
          status: "warning",
          detail: "OpenEMR is ready; it has no keys for its API yet",
          next: "nothing, unless somebody uses the API: then look for the four OAuth keys",
        };
      return { status: "ok", detail: "OpenEMR is ready" };
    }
  }
};

const isRedirect = ({ status }: Page): boolean => status >= 300 && status < 400;

const targetOf = ({ location }: Page, url: URL): URL | undefined =>
  location === undefined ? undefined : (URL.parse(location, url.href) ?? undefined);

const wrongStatus = (page: Page, url: URL): Finding => {
  if (!isRedirect(page))
    return { status: "failed", detail: `the address answers with status ${page.status}`, next: readLog };
  const target = targetOf(page, url);
  if (target && leadsTo(target) === "setup") return notInstalled;
  const place = target?.origin === url.origin ? "another page of its server" : (target?.origin ?? "nowhere");
  return {
    status: "failed",
    detail: `the address leads on to ${place}, which is not followed`,
    next: "set health.url to the address at which OpenEMR itself answers",
  };
};

/** The login page, and one redirect to it on the same server: what releases before 8.0 have. */
const probeLogin = async (base: URL, read: (url: URL) => Promise<Page>): Promise<Finding> => {
  const first = await read(base);
  const target = isRedirect(first) ? targetOf(first, base) : undefined;
  const goesOn = target !== undefined && target.origin === base.origin && leadsTo(target) === "login";
  const page = goesOn ? await read(target) : first;
  if (page.status !== 200) return wrongStatus(page, goesOn ? target : base);
  if (isLoginPage(page.body)) return { status: "ok", detail: "OpenEMR shows its login form" };
  return { status: "failed", detail: "the address answers, but not with OpenEMR's login form", next: readLog };
};

const probePage = async (
  { url: written, bodyIncludes }: Pick<HttpTarget, "url" | "bodyIncludes">,
  read: (url: URL) => Promise<Page>,
): Promise<Finding> => {
  const url = new URL(written);
  if (bodyIncludes !== undefined) {
    const page = await read(url);
    if (page.status !== 200) return wrongStatus(page, url);
    if (page.body.includes(bodyIncludes)) return { status: "ok", detail: "the page holds the text of a healthy one" };
    return { status: "failed", detail: "the page does not hold the text of health.bodyIncludes", next: readLog };
  }
  if ([readinessPage, livenessPage].some((page) => url.pathname.endsWith(`/${page}`))) {
    const page = await read(url);
    if (page.status !== 200) return wrongStatus(page, url);
    const report = readSelfReport(page.body);
    if (report) return ofReport(report);
    return { status: "failed", detail: "the address answers, but not with OpenEMR's own status", next: readLog };
  }
  if (url.pathname.endsWith(".php")) return probeLogin(url, read);
  const base = url.pathname.endsWith("/") ? url : new URL(`${url.href}/`);
  const own = await read(new URL(readinessPage, base));
  const report = own.status === 200 ? readSelfReport(own.body) : undefined;
  return report ? ofReport(report) : probeLogin(base, read);
};

const unreachable = (code: string | undefined): Finding => {
  if (code !== undefined && /CERT|VERIFY|ALTNAME/.test(code))
    return {
      status: "failed",
      detail: `the server's certificate is not trusted (${code})`,
      next: 'name its authority in health.caFile; or set health.tls to "required", which does not check certificates',
    };
  return {
    status: "failed",
    detail: `the address does not answer (${code ?? "no answer in HTTP"})`,
    next: "check that the web server runs, and that health.url can be reached from here",
  };
};

/** A certificate that ends soon does no harm yet. */
const withCertificate = (finding: Finding, ends: Date | undefined, now: Date): Finding => {
  const days = ends && Math.floor((ends.getTime() - now.getTime()) / 86_400_000);
  if (days === undefined || days >= warnDays || finding.status !== "ok") return finding;
  const detail = `${finding.detail}; the web server's certificate ${days < 0 ? "has ended" : `ends in ${days} days`}`;
  return { ...finding, status: "warning", detail, next: "renew the web server's certificate" };
};

/**
 * Looks whether OpenEMR is up, by what a page holds and never by its status alone: the text of `bodyIncludes`; OpenEMR's own
 * status page; where a release has none, the login form. No redirect is taken for a success, and nothing of a page is
 * repeated. Changes nothing, but OpenEMR opens a session for each look: twice a minute is enough.
 *
 * @throws only once `signal` is aborted, with its reason
 */
export const probeHttp = async (
  { caFile, tls, ...page }: HttpTarget,
  { signal, fetch = readPage, now = () => new Date() }: HttpPorts,
): Promise<Finding> => {
  const limit = AbortSignal.timeout(longestWait);
  let ends: Date | undefined;
  try {
    const authorities = caFile === undefined ? {} : { authorities: await readFile(caFile, "utf8") };
    const options: PageOptions = { signal: AbortSignal.any([signal, limit]), tls, ...authorities };
    const finding = await probePage(page, async (url) => {
      const answer = await fetch(url, options);
      ends = answer.certificateEnds ?? ends;
      return answer;
    });
    return withCertificate(finding, ends, now());
  } catch (error) {
    signal.throwIfAborted();
    return unreachable(networkFailureOf(error));
  }
};
