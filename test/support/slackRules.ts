import { type Block, limits, type SlackMessage } from "@openemr-ops/notifications/blocks";
import { expect } from "vitest";

/** All texts of a message that Slack reads as mark-up. */
export const markUpOf = ({ text, blocks }: SlackMessage): readonly string[] => [text, ...blocks.flatMap(markUpIn)];

const markUpIn = (block: Block): readonly string[] => {
  if (block.type === "header") return [];
  if (block.type === "context") return block.elements.map(({ text }) => text);
  return "text" in block ? [block.text.text] : block.fields.map(({ text }) => text);
};

/** What Slack would refuse a message for. Independent of how the product makes them. */
export const expectWithinLimits = (message: SlackMessage): void => {
  expect(message.text.length).toBeGreaterThan(0);
  expect(message.text.length).toBeLessThanOrEqual(limits.fallback);
  expect(message.blocks.length).toBeGreaterThan(0);
  expect(message.blocks.length).toBeLessThanOrEqual(50);
  for (const block of message.blocks) {
    if (block.type === "header") {
      expect(block.text.text.length).toBeLessThanOrEqual(150);
      expect(block.text.text).not.toMatch(/[&<>]/);
    } else if (block.type === "context") {
      expect(block.elements.length).toBeLessThanOrEqual(10);
    } else if ("fields" in block) {
      expect(block.fields.length).toBeGreaterThan(0);
      expect(block.fields.length).toBeLessThanOrEqual(10);
      for (const { text } of block.fields) expect(text.length).toBeLessThanOrEqual(2000);
    }
  }
  for (const text of markUpOf(message)) {
    expect(text.length).toBeGreaterThan(0);
    expect(text.length).toBeLessThanOrEqual(3000);
  }
};

/** The only mark-up in angle brackets that the product writes: moments, and links to the console of AWS. */
const ours =
  /<!date\^\d+\^\{date_short_pretty\}, \{time\}\|[0-9:Z -]+>|<https:\/\/[a-z0-9-]+\.console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)\/states\/home\?region=[a-z0-9-]+#\/v2\/executions\/details\/arn:[A-Za-z0-9:_-]+\|Execution in the console>/g;

/** Beside the product's own mark-up, no control character of Slack's is left in effect, and no character is cut in half. */
export const expectEscaped = (message: SlackMessage): void => {
  for (const text of markUpOf(message)) {
    const rest = text.replaceAll(ours, "");
    expect(rest).not.toMatch(/[<>]/);
    expect(rest.replaceAll(/&(?:amp|lt|gt);/g, "")).not.toContain("&");
    expect(text.isWellFormed()).toBe(true);
  }
};
