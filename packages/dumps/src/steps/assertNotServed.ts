import { OpsError, ServiceRunningError } from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";
import type { ServiceState } from "@openemr-ops/core/service";
import type { DumpContext } from "../context.ts";

export const howToStop =
  "stop OpenEMR first (systemctl stop apache2, docker compose stop openemr, or a desired count of 0)";

const refusing = "ECONNREFUSED";

/** A name may have several addresses: nobody listens when all of them refuse. */
const isRefused = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError) return cause.errors.every((each) => networkFailureOf(each) === refusing);
  return networkFailureOf(error) === refusing;
};

/** A proxy in front of OpenEMR answers so when nobody is behind it. */
const isFromProxyAlone = (status: number): boolean => status >= 502 && status <= 504;

/**
 * @param otherwiseKnown the container service has said that it is stopped, so that the address need not prove it: what
 *   keeps us from it may be a firewall
 */
const assertSilent = async (url: string, otherwiseKnown: boolean): Promise<void> => {
  let status: number;
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) });
    status = response.status;
    await response.body?.cancel();
  } catch (error) {
    if (otherwiseKnown || isRefused(error)) return;
    throw new ServiceRunningError(
      `whether OpenEMR is stopped is unknown: ${url} neither answered nor refused the connection (${networkFailureOf(error) ?? "no answer of HTTP"}). Stop OpenEMR so that its address refuses connections or a proxy answers 503, or correct url; without url only the database is looked at`,
      { cause: error },
    );
  }
  if (!isFromProxyAlone(status)) throw new ServiceRunningError(`OpenEMR still answers at ${url}: ${howToStop}`);
};

const assertServiceStopped = async ({ name, howToStop: how, state }: ServiceState): Promise<void> => {
  const { running, wanted } = await state().catch((error: unknown) => {
    if (!(error instanceof OpsError)) throw error;
    throw new ServiceRunningError(`whether OpenEMR is stopped is unknown: ${error.message}`, { cause: error });
  });
  if (running > 0) throw new ServiceRunningError(`${name} runs ${running} containers of OpenEMR: ${how}`);
  if (wanted > 0) throw new ServiceRunningError(`${name} starts ${wanted} containers of OpenEMR: ${how}`);
};

/**
 * Makes sure that nobody is served: the container service runs nothing, and the address does not answer. No answer to the
 * question is not a stop.
 *
 * @throws {ServiceRunningError} refused: says what still runs, or why that is unknown
 */
export const assertNotServed = async ({ service, url }: DumpContext): Promise<void> => {
  if (service) await assertServiceStopped(service);
  if (url) await assertSilent(url, service !== undefined);
};
