import { expect, inject, it } from "vitest";
import { aRotation } from "../../support/aRotation.ts";
import { rotateUnderLoad } from "../../support/rotateUnderLoad.ts";

// The page reads its files again after two seconds; each rotation waits for that.
it("rotations under constant load fail no request, and each makes the password before useless", {
  timeout: 180_000,
}, async () => {
  await using hospital = await aRotation(inject("server"));

  const { requests, failed, seconds, lives, seen } = await rotateUnderLoad(hospital, 3);

  expect(failed).toEqual([]);
  expect(new Set(lives.map(({ password }) => password)).size).toBe(4);
  expect([...seen].sort()).toEqual([hospital.app.user, `${hospital.app.user}_b`]);
  for (const former of lives.slice(0, -1)) expect(await hospital.opens(former)).toBe(false);
  expect(hospital.warnings).toEqual([]);
  console.info(`${requests} requests in ${seconds.toFixed(0)} s, none failed`);
});
