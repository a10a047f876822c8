import { probeHttp } from "@openemr-ops/health/probeHttp";
import type { Check } from "../check.ts";
import type { Examined } from "../examined.ts";

/** Whether OpenEMR answers where health checks look for it. */
export const healthChecks = ({ place, at }: Examined): readonly Check[] => {
  const { health } = place.installation;
  if (!health) return [];
  return [
    {
      name: "health",
      field: `${at}.health.url`,
      look: async (signal) => {
        const { status, detail, next } = await probeHttp(health, { signal, now: place.now });
        const found = { failed: "problem", warning: "warning", unknown: "warning", ok: "ok" } as const;
        return { status: found[status], seen: detail, next };
      },
    },
  ];
};
