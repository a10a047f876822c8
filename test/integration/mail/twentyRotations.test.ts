import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { iamAccessKeys } from "@openemr-ops/aws/iamAccessKeys";
import { secretDocument } from "@openemr-ops/aws/secretDocument";
import { ssmParameter } from "@openemr-ops/aws/ssmParameter";
import { rotateSmtp } from "@openemr-ops/mail/rotation/rotateSmtp";
import type { SmtpRotation } from "@openemr-ops/mail/rotation/smtpRotation";
import { siteMailSettings } from "@openemr-ops/mail/settings/siteMailSettings";
import { mailServer } from "@openemr-ops/mail/smtp/mailServer";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aMailClinic, type MailClinic } from "../../support/mailClinic.ts";
import { type MailSender, startMailSender } from "../../support/mailSender.ts";

const region = "eu-central-1";

const machines = 3;

let clinic: MailClinic;
/** One whose first key has spread. */
const useClinic = (appearsAfterMs: number): void => {
  beforeAll(async () => {
    clinic = await aMailClinic({ appearsAfterMs, machines });
  });
  afterAll(() => clinic?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await clinic.reset();
    const { server, signal } = rotation();
    const login = await clinic.login();
    for (let inARow = 0; inARow < 2 * machines; )
      inARow = await server.logIn(login, signal).then(
        () => inARow + 1,
        () => 0,
      );
  });
};

/** Of a request of OpenEMR, here: longer than the sender needs from reading its login to the server's answer. */
const requestMs = 600;
/** The time that a rotation lets requests end. */
const requestSeconds = 10;

/** As the program of the job makes it, in a time that runs faster. */
const rotation = (): SmtpRotation => ({
  accessKeys: iamAccessKeys({ user: clinic.user, region }),
  secret: secretDocument({ arn: clinic.secret, field: "rotations.smtp.secret" }),
  inStep: {
    secretAccessKey: secretDocument({ arn: clinic.keySecret, field: "rotations.smtp.inStep.secretAccessKey" }),
    userParameter: ssmParameter({
      name: "smtp_user",
      field: "rotations.smtp.inStep.userParameter",
      region: "us-east-1",
    }),
  },
  regions: [region],
  server: mailServer({
    host: "127.0.0.1",
    port: clinic.smtp.startTlsPort,
    tls: "starttls",
    caFile: join(clinic.directory, "smtp/ca.pem"),
  }),
  testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
  sites: [siteMailSettings({ sitesPath: clinic.site.sitesPath, site: "default", newIv: () => randomBytes(16) })],
  soakMinutes: 0,
  settleSeconds: requestSeconds,
  wait: (seconds) => sleep(seconds === requestSeconds ? requestMs : seconds * 20),
  progress: () => {},
  warn: () => {},
  signal: new AbortController().signal,
  now: () => new Date(),
});

const aSender = (): MailSender =>
  startMailSender({
    sitesPath: clinic.site.sitesPath,
    port: clinic.smtp.startTlsPort,
    caFile: join(clinic.directory, "smtp/ca.pem"),
    pauseMs: 400,
  });

/** Counts the user's keys all the time. */
const startCounting = () => {
  const { list } = iamAccessKeys({ user: clinic.user, region });
  const counts = new Set<string>();
  let looks = 0;
  let counting = true;
  const counted = (async () => {
    while (counting) {
      const keys = await list();
      counts.add(`${keys.length} keys, ${keys.filter(({ active }) => active).length} active`);
      looks++;
      await sleep(150);
    }
  })();
  const stop = async () => {
    counting = false;
    await counted;
    return { counts: [...counts].sort(), looks };
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
};

describe("an OpenEMR that sends all the time", () => {
  useClinic(300);

  it("twenty rotations in a row lose no message that OpenEMR sends meanwhile, with one key after each and never more than two", {
    timeout: 240_000,
  }, async () => {
    const began = performance.now();
    await using sender = aSender();
    await sender.sent(1);
    await using counting = startCounting();
    const used = new Set<string>();
    for (let round = 1; round <= 20; round++) {
      const { accessKeyId, previous, state, testMessageId } = await rotateSmtp(rotation());
      expect(state).toBe("done");
      expect(await clinic.keys()).toEqual({ [accessKeyId]: true });
      expect(await clinic.parameter()).toBe(accessKeyId);
      expect((await clinic.login()).user).toBe(accessKeyId);
      expect(clinic.smtp.received().map(({ id }) => id)).toContain(testMessageId);
      expect(used).not.toContain(accessKeyId);
      used.add(accessKeyId).add(previous ?? "");
    }
    const { counts, looks } = await counting.stop();
    await sender.stop();

    expect(sender.failed()).toEqual([]);
    const arrived = clinic.smtp.received().map(({ raw }) => /^Subject: (message \S+)\r$/m.exec(raw.toString())?.[1]);
    for (const { subject } of sender.attempts) expect(arrived.filter((one) => one === subject)).toEqual([subject]);
    expect(new Set(sender.attempts.map(({ user }) => user)).size).toBeGreaterThan(15);
    expect(used.size).toBe(21);
    expect(counts).toEqual(["1 keys, 1 active", "2 keys, 1 active", "2 keys, 2 active"]);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    process.stdout.write(
      `20 rotations in ${seconds} s: ${sender.attempts.length} messages, none lost; the keys counted ${looks} times\n`,
    );
  });
});

describe("an OpenEMR whose new keys take long to spread", () => {
  useClinic(1500);

  it.each<{ what: string; wrong: (rotation: SmtpRotation) => Partial<SmtpRotation> }>([
    {
      what: "writes a login into OpenEMR that it has not proven",
      wrong: ({ server }) => ({ server: { ...server, logIn: async () => {} } }),
    },
    {
      what: "writes one row of two",
      wrong: ({ sites }) => ({
        sites: sites.map((one) => ({
          ...one,
          replace: async (_, { user }) => {
            await clinic.site.setting("SMTP_USER", user);
            return true;
          },
        })),
      }),
    },
    {
      what: "deletes the key before first",
      wrong: ({ accessKeys }) => ({
        accessKeys: {
          ...accessKeys,
          create: async () => {
            for (const { id } of await accessKeys.list()) await accessKeys.remove(id);
            return accessKeys.create();
          },
        },
      }),
    },
  ])("a rotation that $what loses messages, and the sender sees it", { timeout: 120_000 }, async ({ wrong }) => {
    await using sender = aSender();
    await sender.sent(2);
    expect(sender.failed()).toEqual([]);
    for (let round = 1; round <= 10 && sender.failed().length === 0; round++) {
      const right = rotation();
      await rotateSmtp({ ...right, ...wrong(right) }).catch(() => {});
      await sender.sent(1);
    }
    await sender.stop();
    expect(sender.failed()[0]?.error).toMatch(/535|Authentication/);
  });
});
