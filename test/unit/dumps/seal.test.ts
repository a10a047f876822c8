import { hasOwnSeal, type Manifest, manifestBytes, parseManifest, sealManifest } from "@openemr-ops/dumps/manifest";
import { sealWith } from "@openemr-ops/dumps/seal";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aStoredDump } from "../../support/aStoredDump.ts";

const ours = sealWith("a key of the hospital, long enough to seal");
const theirs = sealWith("a key of somebody else, as long as the other");

const { digest: _, ...unsealed } = aStoredDump({ format: "portable" }).manifest;
const reread = (manifest: Manifest): Manifest => parseManifest(manifestBytes(manifest), "here");

describe("a sealed manifest", () => {
  it("shows whose it is after it was stored", () => {
    const stored = reread(sealManifest(unsealed, ours));

    expect(hasOwnSeal(stored, ours)).toBe(true);
    expect(hasOwnSeal(stored, theirs)).toBe(false);
    expect(hasOwnSeal(reread(sealManifest(unsealed)), ours)).toBeUndefined();
  });

  it("loses its seal with any change, whoever computed its digest anew", () => {
    const { digest: _digest, ...sealed } = sealManifest(unsealed, ours);
    const changes: readonly Partial<Manifest>[] = [
      { seconds: 2 },
      { takenAt: "2026-11-21T02:30:00.000Z" },
      { purpose: "safety" },
      { warnings: [{ code: "x", message: "y" }] },
    ];
    for (const change of changes) expect(hasOwnSeal(reread(sealManifest({ ...sealed, ...change })), ours)).toBe(false);
  });

  it("bears a seal that serves for nothing else", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const seals = (["manifest", "verification", "removal"] as const).map((what) => ours.of(what, text));
        expect(new Set(seals).size).toBe(3);
        expect(ours.fits("removal", text, ours.of("verification", text))).toBe(false);
        expect(ours.fits("verification", text, ours.of("verification", text))).toBe(true);
        expect(ours.fits("verification", text, ours.of("verification", text).slice(1))).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});
