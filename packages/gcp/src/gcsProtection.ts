import type { ObserveProtection } from "@openemr-ops/core/immutability";
import { checkedKey } from "@openemr-ops/core/objectKeys";
import { type GcsDestinationSettings, gcsClient } from "./gcsDestination.ts";
import { gcsFailure, gcsStatusOf } from "./gcsFailure.ts";

/** Tries to destroy one generation of an object in a bucket of Google Cloud Storage. */
export const gcsProtection = (settings: GcsDestinationSettings): ObserveProtection => {
  const bucket = (settings.storage ?? gcsClient(settings)).bucket(settings.bucket);
  const url = `gs://${[settings.bucket, settings.prefix].filter(Boolean).join("/")}`;
  return async (name) => {
    const key = [settings.prefix, checkedKey(name)].filter(Boolean).join("/");
    const doing = `trying the protection of ${name} in ${url}`;
    const file = bucket.file(key);
    const save = (text: string) => file.save(text, { resumable: false });
    try {
      await save("first");
      const [metadata] = await file.getMetadata();
      const generation = bucket.file(key, { generation: String(metadata.generation ?? "") });
      const survives = async (): Promise<boolean> => {
        try {
          const [bytes] = await generation.download({ validation: false });
          return bytes.toString() === "first";
        } catch (error) {
          if (gcsStatusOf(error) === 404) return false;
          throw error;
        }
      };
      const ends = metadata.retentionExpirationTime ?? metadata.retention?.retainUntilTime;
      const observed = ends === undefined ? {} : { until: new Date(ends) };
      const acts: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["overwriting it", () => save("second")],
        ["deleting it", () => file.delete()],
        ["deleting its generation", () => generation.delete()],
      ];
      for (const [act, carryOut] of acts) {
        await carryOut().catch((error: unknown) => {
          const status = gcsStatusOf(error) ?? 0;
          if (status < 400 || status >= 500 || status === 429) throw error;
        });
        if (!(await survives())) return { ...observed, lostBy: act };
      }
      return observed;
    } catch (error) {
      throw gcsFailure(error, doing);
    }
  };
};
