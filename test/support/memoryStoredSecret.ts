import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";

/** A secret in memory: empty, or with a current text. A new version is pending until it is made current. */
export const memoryStoredSecret = (field: string, current?: string) => {
  let versions: readonly SecretVersion[] =
    current === undefined ? [] : [{ id: "written-by-hand", text: current, current: true }];
  let count = 0;
  const secret: StoredSecret = {
    field,
    versions: async () => versions,
    writePending: async (text) => {
      const version = { id: `version-${++count}`, text, current: false };
      versions = [...versions.filter((one) => one.current), version];
      return version;
    },
    makeCurrent: async ({ id }) => {
      versions = versions.filter((one) => one.id === id).map((one) => ({ ...one, current: true }));
    },
  };
  return { ...secret, kept: () => versions, current: () => versions.find((one) => one.current)?.text };
};
