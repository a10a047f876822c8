import { ToolFailedError } from "@openemr-ops/core/errors";
import type { SendingKey } from "./sesSmtp.ts";

interface TrackedModels {
  readonly iam?: { readonly AccessKey?: readonly Readonly<Record<string, unknown>>[] };
}

const textsOf = (xml: string, element: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map(([, text]) => text ?? "");

/**
 * Reads a user's access keys out of moto, with their secrets, which no call of AWS gives away.
 *
 * @param url of moto's server
 */
export const motoAccessKeys = (url: string, user: string): (() => Promise<readonly SendingKey[]>) => {
  const secrets = new Map<unknown, unknown>(); // moto lists all that it ever made; a secret never changes
  const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
    const answer = await fetch(`${url}${path}`, init);
    const text = await answer.text();
    if (!answer.ok) throw new ToolFailedError(`moto answered ${answer.status} to a question about access keys`);
    return text;
  };
  const scope = "Credential=local/20200101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0";
  return async () => {
    const list = await ask("/", {
      method: "POST",
      headers: { authorization: `AWS4-HMAC-SHA256 ${scope}` },
      body: new URLSearchParams({ Action: "ListAccessKeys", Version: "2010-05-08", UserName: user }),
    });
    const ids = textsOf(list, "AccessKeyId");
    const states = textsOf(list, "Status");
    if (ids.some((id) => !secrets.has(id))) {
      const { iam } = JSON.parse(await ask("/moto-api/data.json")) as TrackedModels;
      for (const key of iam?.AccessKey ?? []) secrets.set(key.access_key_id, key.secret_access_key);
    }
    return ids.map((id, index) => ({ id, secret: String(secrets.get(id)), active: states[index] === "Active" }));
  };
};
