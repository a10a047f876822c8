import { RotationRefusedError } from "@openemr-ops/core/errors";
import { sesPassword } from "@openemr-ops/mail/smtp/sesPassword";
import { sesRegionOf, sesServer } from "@openemr-ops/mail/smtp/smtpServer";
import { expect, it } from "vitest";

// The first two are the public vectors of Terraform's provider for AWS; a Python program made the others by the steps of SES's guide.
it.each<{ secret: string; region: string; password: string }>([
  {
    secret: "some+secret+key",
    region: "eu-central-1",
    password: "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2",
  },
  {
    secret: "another+secret+key",
    region: "eu-central-1",
    password: "BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh",
  },
  {
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "us-east-1",
    password: "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9",
  },
  {
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "ap-southeast-2",
    password: "BLNVIwl1Vk66qi8YP1q44PSaqUtaoyrS/0LT79VaGBfa",
  },
  {
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "cn-north-1",
    password: "BHh3+qOXgo0CFL+59hVpR5IBfL0iKO355lPxVnsC6hNv",
  },
  {
    secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "us-gov-west-1",
    password: "BHW/eHvx1MM9YwW4wrJG6MGVQmLDCAM99G9YiSdGEIAw",
  },
])("the password of $secret in $region is the one that AWS publishes", ({ secret, region, password }) => {
  expect(sesPassword({ id: "AKIAIOSFODNN7EXAMPLE", secret }, region)).toBe(password);
});

it("no password is made of a temporary key", () => {
  expect(() => sesPassword({ id: "ASIAIOSFODNN7EXAMPLE", secret: "s" }, "us-east-1")).toThrow(RotationRefusedError);
});

it.each([
  ["eu-central-1", "email-smtp.eu-central-1.amazonaws.com"],
  ["cn-north-1", "email-smtp.cn-north-1.amazonaws.com.cn"],
  ["us-gov-west-1", "email-smtp.us-gov-west-1.amazonaws.com"],
])("the server of %s is %s", (region, host) => {
  expect(sesServer(region)).toEqual({ host, port: 587, tls: "starttls" });
  expect(sesRegionOf(host)).toBe(region);
});

it("a server that is not of SES has no region", () => {
  for (const host of ["127.0.0.1", "smtp.example.org", "email-smtp.eu-central-1.amazonaws.com.example.org"])
    expect(sesRegionOf(host)).toBeUndefined();
});
