import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { JobAbortedError } from "@openemr-ops/core/errors";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { planDump, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic();
});
afterAll(() => clinic.remove());

it("keeps no job waiting that is stopped", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as { port: number };
  const stopped = new AbortController();
  const reason = new JobAbortedError("stopped");
  const context = await contextFor({
    ...clinic,
    schema: { ...clinic.schema, port },
    dumps: { format: "portable" },
    surroundings: { signal: stopped.signal },
  });

  const plan = planDump(context);
  silent.once("connection", () => stopped.abort(reason));
  await expect(plan).rejects.toBe(reason);

  for (const socket of sockets) socket.destroy();
  silent.close();
});

it("does not hinder a stopped drill from removing its schema", async () => {
  const { schema } = clinic;
  const stopped = new AbortController();
  const reason = new JobAbortedError("stopped");
  const options = { ...clinic, dumps: { format: "portable" } } as const;
  const { dumpId } = await takeDump(await contextFor(options));
  const context = await contextFor({
    ...options,
    surroundings: {
      signal: stopped.signal,
      progress: ({ step }) => {
        if (step === "compare") stopped.abort(reason);
      },
    },
  });

  await expect(drillDump(context, dumpId)).rejects.toThrow();
  expect(stopped.signal.aborted).toBe(true);
  expect(await schema.query("SHOW DATABASES LIKE ?", [`${schema.name}\\_drill%`])).toEqual([]);
});
