import { showProgress } from "@openemr-ops/cli/progress";
import { figureWords, formatBytes, formatCount, formatDuration, formatFigure } from "@openemr-ops/core/format";
import { describe, expect, it } from "vitest";
import { memorySink } from "../../support/commandLine.ts";

/** A display with a clock that the test moves. */
const aDisplay = (isTTY: boolean, columns = 120) => {
  let seconds = 0;
  const sink = memorySink({ isTTY, columns });
  const display = showProgress(sink, () => new Date(seconds * 1000));
  return {
    ...display,
    text: sink.text,
    at: (moment: number, event: Parameters<typeof display.report>[0]) => {
      seconds = moment;
      display.report(event);
    },
  };
};

const MiB = 1024 * 1024;

describe("progress in a log", () => {
  it("is one line at the start of a step, then one each tenth", () => {
    const display = aDisplay(false);
    for (let percent = 0; percent <= 100; percent += 1) {
      display.at(percent, { step: "database", bytes: percent * MiB, totalBytes: 100 * MiB });
    }
    const lines = display.text().trimEnd().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("database: 0 B of 100.0 MiB");
    expect(lines[5]).toBe("database: 50.0 MiB of 100.0 MiB, 1.0 MiB/s, 50.0 s left");
    expect(lines[10]).toBe("database: 100.0 MiB of 100.0 MiB, 1.0 MiB/s");
    expect(display.text()).not.toContain("\u001b");
  });

  it("is one line every 10 seconds when the whole is not known", () => {
    const display = aDisplay(false);
    for (let second = 0; second <= 35; second += 1) {
      display.at(second, { step: "database", bytes: second * MiB, rows: second * 1000, detail: "billing" });
    }
    expect(display.text().split("\n")).toEqual([
      "database: 0 B, 0 rows (billing)",
      "database: 10.0 MiB, 10,000 rows, 1.0 MiB/s (billing)",
      "database: 20.0 MiB, 20,000 rows, 1.0 MiB/s (billing)",
      "database: 30.0 MiB, 30,000 rows, 1.0 MiB/s (billing)",
      "",
    ]);
  });

  it("tells steps that run side by side apart", () => {
    const display = aDisplay(false);
    display.at(0, { step: "database" });
    display.at(0, { step: "sites", files: 0, totalFiles: 10 });
    display.at(2, { step: "sites", files: 5, totalFiles: 10 });
    expect(display.text()).toBe("database\nsites: 0 of 10 files\nsites: 5 of 10 files, 2.0 s left\n");
  });
});

describe("progress on a terminal", () => {
  it("is one line that renews itself at most ten times a second and is cleared for what follows", () => {
    const display = aDisplay(true);
    for (let step = 0; step < 100; step += 1) display.at(step / 100, { step: "load", rows: step });
    display.clear();
    display.clear();
    const frames = display.text().split("\r\u001b[2K");
    expect(frames.length).toBeLessThanOrEqual(13);
    expect(frames.at(-1)).toBe("");
    expect(display.text()).not.toContain("\n");
  });

  it("shows all steps under way and forgets those that fell silent", () => {
    const display = aDisplay(true);
    display.at(0, { step: "database", rows: 1 });
    display.at(1, { step: "sites", files: 2 });
    expect(display.text().endsWith("database: 1 rows | sites: 2 files")).toBe(true);
    display.at(9, { step: "sites", files: 3 });
    expect(display.text().endsWith("\r\u001b[2Ksites: 3 files")).toBe(true);
  });

  it("never wraps into a second line", () => {
    const display = aDisplay(true, 30);
    display.at(0, { step: "database", detail: "x".repeat(100) });
    expect(display.text().replace("\r\u001b[2K", "")).toHaveLength(29);
  });
});

describe("figures", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [5 * 1024 ** 3, "5.0 GiB"],
    [2 ** 60, "1024.0 PiB"],
  ])("%d bytes read %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, "0.0 s"],
    [59.9, "59.9 s"],
    [59.99, "1 min 0 s"],
    [192, "3 min 12 s"],
    [3599.6, "1 h 0 min"],
    [7500, "2 h 5 min"],
  ])("%d seconds read %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each<[string, number, readonly [string, string]]>([
    ["databaseBytes", 1024, ["database size", "1.0 KiB"]],
    ["bytes", 1024, ["size", "1.0 KiB"]],
    ["restoreSeconds", 2, ["restore time", "2.0 s"]],
    ["seconds", 2, ["time", "2.0 s"]],
    ["rows", 1234567, ["rows", "1,234,567"]],
    ["warnings", 1, ["warning", "1"]],
    ["access", 1, ["access", "1"]],
  ])("%s carries its unit in its name", (name, value, shown) => {
    expect(formatFigure(name, value)).toEqual(shown);
    expect(formatCount(1000)).toBe("1,000");
  });

  it("has a label for each figure of a dump, and no label twice", () => {
    const figures = ["tables", "rows", "files", "databaseBytes", "filesBytes", "addedBytes", "seconds", "warnings"];
    const labels = figures.map((name) => formatFigure(name, 2)[0]);

    expect(new Set(labels).size).toBe(figures.length);
  });

  it.each<[string, number, string]>([
    ["warnings", 1, "1 warning"],
    ["warnings", 0, "0 warnings"],
    ["filesBytes", 1024, "files size 1.0 KiB"],
    ["restoreSeconds", 2, "restore time 2.0 s"],
  ])("in a sentence reads as people say it: %s", (name, value, words) => {
    expect(figureWords(name, value)).toBe(words);
  });
});
