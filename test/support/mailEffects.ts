import type { StoredSecret } from "@openemr-ops/core/storedSecret";
import type { SmtpRotation } from "@openemr-ops/mail/rotation/smtpRotation";

/** `stop`: neither this effect nor any later one happens. `lost`: it happens, its answer fails. `fail`: it alone does not. */
export type Harm = { readonly at: number; readonly how: "stop" | "lost" | "fail" };

export class Harmed extends Error {
  override readonly name = "Harmed";
}

/**
 * Counts from 1 what a rotation does to the world outside, and harms one of these effects or none.
 *
 * @param look is called before and after each of them, and whenever the rotation waits
 */
export const watched = (rotation: SmtpRotation, look: () => void, ...harms: readonly Harm[]) => {
  const effects: string[] = [];
  let stopped = false;
  const effect =
    <Args extends readonly unknown[], Result>(name: string, act: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (stopped) throw new Harmed(`stopped before ${name}`);
      look();
      effects.push(name);
      const harm = harms.find(({ at }) => at === effects.length)?.how;
      stopped = harm === "stop";
      if (harm === "stop" || harm === "fail") throw new Harmed(`${harm} at ${name}`);
      const result = await act(...args);
      look();
      if (harm === "lost") throw new Harmed(`answer lost of ${name}`);
      return result;
    };
  const secretOf = (name: string, secret: StoredSecret): StoredSecret => ({
    ...secret,
    writePending: effect(`${name}.writePending`, secret.writePending),
    makeCurrent: effect(`${name}.makeCurrent`, secret.makeCurrent),
  });
  const { accessKeys, inStep, server } = rotation;
  const { secretAccessKey, userParameter } = inStep;
  const run: SmtpRotation = {
    ...rotation,
    accessKeys: {
      ...accessKeys,
      create: effect("accessKeys.create", accessKeys.create),
      setActive: effect("accessKeys.setActive", accessKeys.setActive),
      remove: effect("accessKeys.remove", accessKeys.remove),
    },
    secret: secretOf("secret", rotation.secret),
    inStep: {
      ...(secretAccessKey ? { secretAccessKey: secretOf("secretAccessKey", secretAccessKey) } : {}),
      ...(userParameter
        ? { userParameter: { ...userParameter, write: effect("userParameter.write", userParameter.write) } }
        : {}),
    },
    server: { ...server, send: effect("server.send", server.send) },
    sites: rotation.sites.map((settings) => ({
      ...settings,
      replace: effect(`${settings.site}.replace`, settings.replace),
    })),
    wait: async (seconds, signal) => {
      look();
      await rotation.wait(seconds, signal);
      look();
    },
  };
  return { run, effects };
};
