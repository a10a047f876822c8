import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer, type SMTPServerError, type SMTPServerOptions } from "smtp-server";
import type { TlsMaterial } from "./tlsMaterial.ts";

/** An access key as the server looks at it. */
export interface SendingKey {
  readonly id: string;
  readonly secret: string;
  readonly active: boolean;
}

/** A message that the server accepted. */
export interface ReceivedMessage {
  /** As in the answer `250 Ok <id>`. */
  readonly id: string;
  /** Who was logged in. */
  readonly user: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
}

/** Where the next answer of a kind may be another one. */
export type SmtpStage = "connect" | "auth" | "from" | "to" | "data";

export interface SmtpAnswer {
  readonly code: number;
  readonly text: string;
}

/** A server that lets in whom SES would. */
export interface SesSmtpServer extends AsyncDisposable {
  /** Of STARTTLS; nobody logs in before it. */
  readonly startTlsPort: number;
  /** Of TLS from the first byte. */
  readonly implicitPort: number;
  readonly received: readonly ReceivedMessage[];
  /** Every login that was tried, in order. */
  readonly logins: readonly { readonly user: string; readonly accepted: boolean }[];
  /** The next answers at a stage are this one, whatever they would have been. */
  failNext(stage: SmtpStage, answer: SmtpAnswer, times?: number): void;
  /** Safe to repeat. */
  stop(): Promise<void>;
}

export interface SesSmtpOptions {
  readonly tls: Pick<TlsMaterial, "certFile" | "keyFile">;
  /** A password opens the server of its own region only. */
  readonly region: string;
  /** Asked at every login; only active keys are let in. */
  readonly keys: () => Promise<readonly SendingKey[]>;
  /** How long after the first login that meets a new key it is still refused; 0 when left out. */
  readonly appearsAfterMs?: number;
  /** How long after the first login that meets an inactive or deleted key it is still let in; 0 when left out. */
  readonly vanishesAfterMs?: number;
  /**
   * How many machines answer in turn, each later than the one before, so that one good login does not prove that a key has spread;
   * 1 when left out.
   */
  readonly machines?: number;
  readonly ports?: { readonly startTls: number; readonly implicit: number };
  readonly onMessage?: (message: ReceivedMessage) => Promise<void>;
}

/** @see https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html, "Obtaining Amazon SES SMTP credentials by converting" */
export const sesSmtpPasswordOf = (secret: string, region: string): string => {
  let signature = Buffer.from(`AWS4${secret}`, "utf8");
  for (const text of ["11111111", region, "ses", "aws4_request", "SendRawEmail"])
    signature = createHmac("sha256", signature).update(text, "utf8").digest();
  return Buffer.concat([Buffer.from([0x04]), signature]).toString("base64");
};

interface KnownKey {
  readonly secret: string;
  readonly active: boolean;
  readonly changedAt: number;
}

/** Which keys each machine knows, some time after they changed. */
const spreadKeys = ({ keys, appearsAfterMs = 0, vanishesAfterMs = 0, machines = 1 }: SesSmtpOptions) => {
  const known = new Map<string, KnownKey>();
  const look = async (changedAt: number): Promise<void> => {
    const found = await keys();
    for (const { id, secret, active } of found)
      if (known.get(id)?.active !== active) known.set(id, { secret, active, changedAt });
    for (const [id, key] of known)
      if (key.active && !found.some((one) => one.id === id)) known.set(id, { ...key, active: false, changedAt });
  };
  let turn = 0;
  return {
    look,
    opens: async (id: string, password: string, region: string): Promise<boolean> => {
      const now = performance.now();
      await look(now);
      const key = known.get(id);
      if (key === undefined || sesSmtpPasswordOf(key.secret, region) !== password) return false;
      const machine = ++turn % machines;
      const delay = ((key.active ? appearsAfterMs : vanishesAfterMs) * (machine + 1)) / machines;
      return now - key.changedAt >= delay === key.active;
    },
  };
};

const refusal = ({ code, text }: SmtpAnswer): SMTPServerError => Object.assign(new Error(text), { responseCode: code });

const listen = async (server: SMTPServer, port: number): Promise<number> => {
  server.on("error", () => {}); // a client that breaks off
  const { server: socket } = server;
  server.listen(port, "127.0.0.1");
  await once(socket, "listening");
  return (socket.address() as AddressInfo).port;
};

/**
 * Starts an SMTP server on this machine's loopback. It accepts exactly the identifier of an active access key as the user and what
 * derives from that key's secret for the region as the password, and answers in the words of SES.
 */
export const startSesSmtp = async (options: SesSmtpOptions): Promise<SesSmtpServer> => {
  const { tls, region, ports, onMessage } = options;
  const received: ReceivedMessage[] = [];
  const logins: { user: string; accepted: boolean }[] = [];
  const faults: { stage: SmtpStage; answer: SmtpAnswer }[] = [];
  const fault = (stage: SmtpStage): SMTPServerError | undefined => {
    const index = faults.findIndex((one) => one.stage === stage);
    const [found] = index < 0 ? [] : faults.splice(index, 1);
    return found && refusal(found.answer);
  };
  const spread = spreadKeys(options);
  await spread.look(Number.NEGATIVE_INFINITY); // what is there already has spread

  const shared: SMTPServerOptions = {
    name: `email-smtp.${region}.example`,
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    disableReverseLookup: true,
    closeTimeout: 1000,
    size: 40 * 1024 * 1024,
    onConnect: (_session, callback) => callback(fault("connect")),
    onAuth: async ({ username: user = "", password }, _session, callback) => {
      const planned = fault("auth");
      if (planned) return callback(planned);
      try {
        const accepted = await spread.opens(user, password ?? "", region);
        logins.push({ user, accepted });
        if (accepted) return callback(null, { user });
        callback(refusal({ code: 535, text: "Authentication Credentials Invalid" }));
      } catch {
        callback(refusal({ code: 454, text: "Temporary authentication failure" }));
      }
    },
    onMailFrom: (_address, _session, callback) => callback(fault("from")),
    onRcptTo: (_address, _session, callback) => callback(fault("to")),
    onData: async (stream, { user, envelope }, callback) => {
      const raw = await buffer(stream);
      const planned = fault("data");
      if (planned) return callback(planned);
      const id = `0100019ab${String(received.length + 1).padStart(7, "0")}-5e1c0a4f-000000`;
      const from = envelope.mailFrom === false ? "" : envelope.mailFrom.address;
      const message = { id, user: String(user), from, to: envelope.rcptTo.map(({ address }) => address), raw };
      received.push(message);
      await onMessage?.(message);
      callback(null, `Ok ${id}`);
    },
  };
  const [startTls, implicit] = [new SMTPServer(shared), new SMTPServer({ ...shared, secure: true })];
  let stopped: Promise<unknown> | undefined;
  const stop = async (): Promise<void> => {
    stopped ??= Promise.all(
      [startTls, implicit].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    await stopped;
  };
  return {
    startTlsPort: await listen(startTls, ports?.startTls ?? 0),
    implicitPort: await listen(implicit, ports?.implicit ?? 0),
    received,
    logins,
    failNext: (stage, answer, times = 1) => {
      for (let time = 0; time < times; time++) faults.push({ stage, answer });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
};
