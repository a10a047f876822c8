import type { PasswordVersion, StoredPassword } from "@openemr-ops/core/storedPassword";

/** A secret in memory: empty, or with a current password. A new version is pending until it is made current. */
export const memoryPassword = (field: string, current?: string) => {
  let versions: readonly PasswordVersion[] =
    current === undefined ? [] : [{ id: "written-by-hand", password: current, current: true }];
  let count = 0;
  const secret: StoredPassword = {
    field,
    versions: async () => versions,
    writePending: async (password) => {
      const version = { id: `version-${++count}`, password, current: false };
      versions = [...versions.filter((one) => one.current), version];
      return version;
    },
    makeCurrent: async ({ id }) => {
      versions = versions.filter((one) => one.id === id).map((one) => ({ ...one, current: true }));
    },
  };
  return { ...secret, kept: () => versions, current: () => versions.find((one) => one.current)?.password };
};

export type MemoryPassword = ReturnType<typeof memoryPassword>;
