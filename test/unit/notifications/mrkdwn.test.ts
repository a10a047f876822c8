import { asCode, escaped, inCode, inLine } from "@openemr-ops/notifications/mrkdwn";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { foreignText } from "../../support/anyJobEvent.ts";

const unescaped = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

describe("a foreign text in Slack's mark-up", () => {
  it.each([
    ["a & b", "a &amp; b"],
    ["<!channel>", "&lt;!channel&gt;"],
    ["&lt;", "&amp;lt;"],
    ["line\r\nline\rline", "line\nline\nline"],
    ["bell\u0007", "bell "],
    ["\u202edesrever", " desrever"],
    ["half \ud800", "half  "],
  ])("%j becomes %j", (text, expected) => {
    expect(escaped(text, 100)).toBe(expected);
  });

  it.each([
    ["abcdef", 5, "abcd…"],
    ["abcde", 5, "abcde"],
    ["abc<", 6, "abc…"],
    ["ab&c", 7, "ab…"],
    ["ab😀😀", 5, "ab😀…"],
    ["abc", 0, ""],
  ])("%j cut to %i characters is %j", (text, most, expected) => {
    expect(escaped(text, most)).toBe(expected);
  });

  it("stays within its length, never cut inside an escape or a character", () => {
    fc.assert(
      fc.property(foreignText(400), fc.integer({ min: 0, max: 300 }), (text, most) => {
        const cut = escaped(text, most);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut).not.toMatch(/[<>]/);
        expect(cut.replaceAll(/&(?:amp|lt|gt);/g, "")).not.toContain("&");
        expect(cut.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("is what it was when it fits and holds nothing unseen", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "<", ">", "&", ";", "😀", "l", "t") }), (text) => {
        expect(unescaped(escaped(text, text.length * 5))).toBe(text);
      }),
    );
  });

  it("is one line without bold, italics, strokes or code where it stands in a line", () => {
    const line = inLine(" *bold*\n_it_ ~no~ `code` ", 100);
    expect(line).not.toMatch(/\n/);
    expect(line.replaceAll("\u200b", "")).toBe("*bold* _it_ ~no~ `code`");
    expect(line).not.toMatch(/[*_~`](?!\u200b)/);
  });

  it("cannot end the code that it stands in", () => {
    fc.assert(
      fc.property(foreignText(300), fc.integer({ min: 10, max: 200 }), (text, most) => {
        for (const [code, fence] of [
          [asCode(text, most), "```"],
          [inCode(text, most), "`"],
        ] as const) {
          expect(code.length).toBeLessThanOrEqual(most);
          expect(code.startsWith(fence) && code.endsWith(fence)).toBe(true);
          expect(code.slice(fence.length, -fence.length)).not.toContain("`");
        }
      }),
    );
  });
});
