import { createHash, createHmac, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type GoogleFront, startGoogleFront } from "./googleFront.ts";

/** Keys of AWS that the stand-in of AWS's STS knows. */
export interface KnownKeys {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface GoogleCloudSettings {
  readonly directory: string;
  /** Address of a server of Google Cloud Storage that asks nobody who they are. */
  readonly url: string;
  readonly keysOf: (accessKeyId: string) => Promise<KnownKeys | undefined>;
  /** Life of an access token, seconds. */
  readonly tokenSeconds?: number;
}

export interface GoogleCloud extends GoogleFront {
  /** A service account's key, as Google gives it. */
  readonly serviceAccount: Readonly<Record<string, string>>;
  /** The configuration of a federation with AWS. `impersonate`: by way of that service account. */
  readonly federation: (options?: { readonly impersonate?: boolean }) => Readonly<Record<string, unknown>>;
  /** What was asked for: exchanges by their kind, and requests that were denied. */
  readonly seen: { oauth: number; sts: number; impersonated: number; denied: number };
  /** Number of the exchange from which on nobody gets a token any more. */
  endAfter(exchanges: number): void;
  /** Ends all tokens that were given. */
  forget(): void;
}

const account = "dumps@clinic.iam.gserviceaccount.com";
const audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/aws/providers/clinic";
const impersonationPath = `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`;
const awsToken = "urn:ietf:params:aws:token-type:aws4_request";

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const bodyOf = async (asked: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of asked) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
};

/** Why AWS's STS would refuse this request of GetCallerIdentity; `undefined` when its signature is right. */
const refusalOf = async (subjectToken: string, keysOf: GoogleCloudSettings["keysOf"]): Promise<string | undefined> => {
  const request = JSON.parse(decodeURIComponent(subjectToken)) as {
    readonly url: string;
    readonly method: string;
    readonly headers: readonly { readonly key: string; readonly value: string }[];
  };
  const headers = new Map(request.headers.map(({ key, value }) => [key.toLowerCase(), value]));
  const url = new URL(request.url);
  if (!/^sts\.[a-z0-9-]+\.amazonaws\.com$/.test(url.host)) return `${url.host} is not AWS's`;
  if (headers.get("x-goog-cloud-target-resource") !== audience) return "signed for another audience";
  const pattern =
    /Credential=([^/]+)\/(\d{8})\/([^/]+)\/sts\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})/;
  const [, id = "", day = "", region = "", signed = "", signature] =
    pattern.exec(headers.get("authorization") ?? "") ?? [];
  const keys = await keysOf(id);
  if (!keys) return `nobody has the key ${id}`;
  if (keys.sessionToken && headers.get("x-amz-security-token") !== keys.sessionToken) return "another session's token";
  const date = headers.get("x-amz-date") ?? "";
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (!(Math.abs(Date.now() - at) < 5 * 60_000)) return "signed too long ago";
  const canonical = [
    request.method,
    "/",
    url.search.slice(1),
    ...signed.split(";").map((name) => `${name}:${name === "host" ? url.host : headers.get(name)}`),
    "",
    signed,
    sha256(""),
  ].join("\n");
  const scope = `${day}/${region}/sts/aws4_request`;
  const key = ["aws4_request", "sts", region, day].reduceRight<string | Buffer>(hmac, `AWS4${keys.secretAccessKey}`);
  const expected = hmac(key, ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n")).toString("hex");
  return expected === signature ? undefined : "the signature is wrong";
};

/**
 * Google's way to a bucket as programs see it, in front of a server that lets everybody in: access tokens for a service
 * account's signature (OAuth), for a signed request to AWS (STS) and for a service account on behalf (IAM Credentials). Tokens
 * end, and without one that is valid the storage answers 401. Signatures are verified.
 */
export const startGoogleCloud = async (settings: GoogleCloudSettings): Promise<GoogleCloud> => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const seen = { oauth: 0, sts: 0, impersonated: 0, denied: 0 };
  const { tokenSeconds = 3600 } = settings;
  let last = Number.POSITIVE_INFINITY;
  /** Tokens for the storage and for impersonation, with their ends. */
  const tokens = { storage: new Map<string, number>(), federated: new Map<string, number>() };

  const reply = (answer: ServerResponse, status: number, body: unknown): true => {
    answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    return true;
  };
  const grant = (...kinds: readonly (keyof typeof tokens)[]) => {
    const token = `token-${randomBytes(12).toString("hex")}`;
    for (const kind of kinds) tokens[kind].set(token, Date.now() + tokenSeconds * 1000);
    return token;
  };
  const refuse = (answer: ServerResponse, why: string): true => {
    seen.denied += 1;
    return reply(answer, 400, { error: "invalid_grant", error_description: why });
  };
  const isValid = (kind: keyof typeof tokens, asked: IncomingMessage): boolean => {
    const [, token = ""] = /^Bearer (.+)$/.exec(asked.headers.authorization ?? "") ?? [];
    return (tokens[kind].get(token) ?? 0) > Date.now();
  };
  const exhausted = () => seen.oauth + seen.sts > last;

  const oauth = async (asked: IncomingMessage, answer: ServerResponse): Promise<true> => {
    seen.oauth += 1;
    const [head = "", claims = "", signature = ""] = (
      new URLSearchParams(await bodyOf(asked)).get("assertion") ?? ""
    ).split(".");
    const right = verify("sha256", Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, "base64url"));
    const { iss } = JSON.parse(Buffer.from(claims || "e30", "base64url").toString("utf8")) as { readonly iss?: string };
    if (!right || iss !== account || exhausted()) return refuse(answer, "Invalid JWT Signature.");
    return reply(answer, 200, { access_token: grant("storage"), expires_in: tokenSeconds, token_type: "Bearer" });
  };
  const sts = async (asked: IncomingMessage, answer: ServerResponse): Promise<true> => {
    seen.sts += 1;
    const form = new URLSearchParams(await bodyOf(asked));
    const why =
      form.get("audience") !== audience || form.get("subject_token_type") !== awsToken
        ? "another audience or kind of token"
        : exhausted()
          ? "the identity was removed"
          : await refusalOf(form.get("subject_token") ?? "", settings.keysOf);
    if (why) return refuse(answer, why);
    return reply(answer, 200, {
      access_token: grant("federated", "storage"),
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: tokenSeconds,
    });
  };
  const impersonate = async (asked: IncomingMessage, answer: ServerResponse): Promise<true> => {
    seen.impersonated += 1;
    await bodyOf(asked);
    if (asked.url !== impersonationPath || !isValid("federated", asked)) {
      seen.denied += 1;
      return reply(answer, 403, { error: { code: 403, status: "PERMISSION_DENIED", message: "denied" } });
    }
    const expireTime = new Date(Date.now() + tokenSeconds * 1000).toISOString();
    return reply(answer, 200, { accessToken: grant("storage"), expireTime });
  };

  const front = await startGoogleFront(settings.directory, settings.url, {
    hosts: ["oauth2.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com"],
    answerAs: async (host, asked, answer) => {
      if (host.startsWith("oauth2.")) return oauth(asked, answer);
      if (host.startsWith("sts.")) return sts(asked, answer);
      if (host.startsWith("iamcredentials.")) return impersonate(asked, answer);
      if (isValid("storage", asked)) return false;
      seen.denied += 1;
      asked.resume();
      const errors = [{ domain: "global", reason: "authError", message: "Invalid Credentials" }];
      return reply(answer, 401, { error: { code: 401, message: "Invalid Credentials", errors } });
    },
  });

  return {
    ...front,
    seen,
    endAfter: (exchanges) => {
      last = exchanges;
    },
    forget: () => {
      for (const kind of Object.values(tokens)) kind.clear();
    },
    serviceAccount: {
      type: "service_account",
      project_id: "clinic",
      private_key_id: randomBytes(20).toString("hex"),
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      client_email: account,
      client_id: "1",
      token_uri: "https://oauth2.googleapis.com/token",
    },
    federation: ({ impersonate: by = false } = {}) => ({
      type: "external_account",
      audience,
      subject_token_type: awsToken,
      token_url: "https://sts.googleapis.com/v1/token",
      credential_source: {
        environment_id: "aws1",
        region_url: "http://169.254.169.254/latest/meta-data/placement/availability-zone",
        url: "http://169.254.169.254/latest/meta-data/iam/security-credentials",
        regional_cred_verification_url:
          "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
      },
      ...(by ? { service_account_impersonation_url: `https://iamcredentials.googleapis.com${impersonationPath}` } : {}),
    }),
  };
};
