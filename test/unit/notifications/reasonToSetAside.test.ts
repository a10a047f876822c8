import {
  ControlPlaneUnavailableError,
  NotificationRefusedError,
  SecretUnreadableError,
  UnexpectedError,
} from "@openemr-ops/core/errors";
import { reasonToSetAside } from "@openemr-ops/notifications/reasonToSetAside";
import { describe, expect, it } from "vitest";

const now = new Date("2026-11-25T02:30:00Z");
const days = (count: number) => new Date(now.getTime() - count * 86_400_000);
const fresh = { since: days(0), deliveries: 1 };

describe("a notification that could not be told", () => {
  it.each([
    new ControlPlaneUnavailableError("Slack does not answer"),
    new NotificationRefusedError("Slack refuses", "token_revoked"),
    new NotificationRefusedError("Slack refuses", "channel_not_found"),
    new NotificationRefusedError("Slack refuses", "HTTP status 403, and not a response of Slack"),
    new SecretUnreadableError("the secret does not exist"),
  ])("for a reason that concerns every message waits, until it has waited for four days ($message)", (failure) => {
    expect(reasonToSetAside(failure, fresh, now)).toBeUndefined();
    expect(reasonToSetAside(failure, { since: days(3.9), deliveries: 940 }, now)).toBeUndefined();
    expect(reasonToSetAside(failure, { since: days(4), deliveries: 961 }, now)).toBe("it waited for 4 days");
  });

  it("because Slack does not accept this very message lets the others pass at once", () => {
    const failure = new NotificationRefusedError("Slack refuses", "msg_too_long");
    expect(reasonToSetAside(failure, fresh, now)).toContain("msg_too_long");
  });

  it("because of an unknown error has an hour", () => {
    const failure = new UnexpectedError("unforeseen");
    expect(reasonToSetAside(failure, { ...fresh, deliveries: 9 }, now)).toBeUndefined();
    expect(reasonToSetAside(failure, { ...fresh, deliveries: 10 }, now)).toContain("10 times");
  });

  it("however long it waited, is tried once more before it is set aside", () => {
    expect(reasonToSetAside(undefined, { since: days(9), deliveries: 900 }, now)).toBeUndefined();
  });

  it("since its function ends without an answer each time is set aside before a further attempt", () => {
    expect(reasonToSetAside(undefined, { since: days(5), deliveries: 1001 }, now)).toBe("it was delivered 1001 times");
  });
});
