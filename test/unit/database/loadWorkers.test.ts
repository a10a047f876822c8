import type { LoadWorker } from "@openemr-ops/database/loadWorker";
import { startLoadWorkers } from "@openemr-ops/database/loadWorkers";
import { expect, it } from "vitest";

it("leaves no connection behind when one of them cannot be opened", async () => {
  const open = new Set<number>();
  let starts = 0;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const start = async (): Promise<LoadWorker> => {
    const number = ++starts;
    if (number === 1) throw new Error("too many connections");
    await turn(); // this one opens after the failure of the other
    open.add(number);
    return { kill: async () => void open.delete(number) } as Partial<LoadWorker> as LoadWorker;
  };

  await expect(startLoadWorkers(start)).rejects.toThrow("too many connections");
  await turn();
  expect(starts).toBeGreaterThan(1);
  expect(open).toEqual(new Set());
});
