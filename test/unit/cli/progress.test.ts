import { showProgress } from "@openemr-ops/cli/progress";
import { describeStep, progressLine } from "@openemr-ops/cli/progressLine";
import { figureWords, formatBytes, formatCount, formatDuration, formatFigure } from "@openemr-ops/core/format";
import { type ProgressEvent, withEstimates } from "@openemr-ops/core/progress";
import { describe, expect, it } from "vitest";
import { memorySink } from "../../support/commandLine.ts";

/** A display with a clock that the test moves: `at` reports something at a second, `until` lets time pass. */
const aDisplay = (isTTY: boolean, columns = 120) => {
  let seconds = 0;
  let tick = () => {};
  const sink = memorySink({ isTTY, columns });
  const display = showProgress(
    sink,
    () => new Date(seconds * 1000),
    (milliseconds, act) => {
      expect(milliseconds).toBe(1000);
      tick = act;
      return () => {
        tick = () => {};
      };
    },
  );
  const until = (moment: number) => {
    while (Math.floor(seconds) < Math.floor(moment)) {
      seconds = Math.floor(seconds) + 1;
      tick();
    }
    seconds = moment;
  };
  const lastFrame = () => sink.text().split("\r\u001b[2K").at(-1);
  return {
    ...display,
    ...{ text: sink.text, until, lastFrame },
    at: (moment: number, event: ProgressEvent) => {
      until(moment);
      display.report(event);
    },
  };
};

const MiB = 1024 * 1024;

describe("progress in a log", () => {
  it("is one line with the time at the start of a step, then one each tenth", () => {
    const display = aDisplay(false);
    for (let tenth = 0; tenth <= 100; tenth += 1) {
      display.at(tenth / 2, { step: "database", bytes: tenth * MiB, totalBytes: 100 * MiB });
    }
    const lines = display.text().trimEnd().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("1970-01-01T00:00:00Z database: 0%, 0 B of 100.0 MiB");
    expect(lines[5]).toBe("1970-01-01T00:00:25Z database: 50%, 25 s left, 50.0 MiB of 100.0 MiB, 2.0 MiB/s");
    expect(lines[10]).toBe("1970-01-01T00:00:50Z database: 100%, 100.0 MiB of 100.0 MiB, 2.0 MiB/s");
    expect(display.text()).not.toContain("\u001b");
  });

  it.each([undefined, 100_000 * MiB])("is one line every 10 seconds when a tenth takes longer", (totalBytes) => {
    const display = aDisplay(false);
    for (let second = 0; second <= 35; second += 1) {
      const whole = totalBytes === undefined ? {} : { totalBytes };
      const done = { bytes: second * MiB, rows: second * 1000 };
      display.at(second + 0.5, { step: "database", ...done, ...whole, detail: "billing" });
    }
    const lines = display.text().trimEnd().split("\n");
    expect(lines.map((line) => line.slice(17, 19))).toEqual(["00", "10", "20", "30"]);
    if (totalBytes === undefined)
      expect(lines[1]).toBe("1970-01-01T00:00:10Z database: 10.0 MiB, 10,000 rows, 1.0 MiB/s (billing)");
  });

  it("has a line every 10 seconds although nothing is reported, with the figures as they were then", () => {
    const display = aDisplay(false);
    display.at(0, { step: "database", bytes: MiB });
    display.at(4, { step: "seal" });
    display.until(31);

    expect(display.text().split("\n")).toEqual([
      "1970-01-01T00:00:00Z database: 1.0 MiB",
      "1970-01-01T00:00:04Z seal",
      "1970-01-01T00:00:14Z seal",
      "1970-01-01T00:00:24Z seal",
      "",
    ]);
  });

  it("is silent before the first step and after the end", () => {
    const display = aDisplay(false);
    display.until(60);
    expect(display.text()).toBe("");
    display.report({ step: "seal" });
    display.end();
    display.until(120);
    expect(display.text().split("\n")).toHaveLength(2);
  });

  it("tells steps that run side by side apart", () => {
    const display = aDisplay(false);
    display.at(0, { step: "database" });
    display.at(0, { step: "sites", files: 0, totalFiles: 10 });
    display.at(2, { step: "sites", files: 5, totalFiles: 10 });
    expect(display.text().replace(/^\S+Z /gm, "")).toBe(
      "database\nsites: 0%, 0 of 10 files\nsites: 50%, 2 s left, 5 of 10 files\n",
    );
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

  it("shows every second that the program works, also before its first step", () => {
    const display = aDisplay(true);
    display.until(2);
    expect(display.lastFrame()).toBe("[00:02] working");
    display.at(3, { step: "seal" });
    for (const second of [4, 61, 3723]) {
      display.until(second);
      expect(display.lastFrame()).toContain("seal");
    }
    expect(display.lastFrame()).toBe("[1:02:03] seal");
  });

  it("leaves the terminal to a question, and shows nothing after the end", async () => {
    const display = aDisplay(true);
    await display.aside(async () => {
      display.at(5, { step: "seal" });
      expect(display.text()).toBe("");
    });
    display.until(6);
    expect(display.lastFrame()).toBe("[00:06] seal");
    display.end();
    const before = display.text();
    display.until(20);
    expect(display.text()).toBe(before);
  });

  it("shows all steps that run and forgets those that stopped reporting, but not the last one", () => {
    const display = aDisplay(true);
    display.at(0, { step: "database", rows: 1 });
    display.at(1, { step: "sites", files: 2 });
    expect(display.lastFrame()).toBe("[00:01] database: 1 rows | sites: 2 files");
    display.at(9.5, { step: "sites", files: 3 });
    expect(display.lastFrame()).toBe("[00:09] sites: 3 files");
    display.until(30);
    expect(display.lastFrame()).toBe("[00:30] sites: 3 files");
  });

  it("shows a step that is done, or has no figures, only while no other one runs", () => {
    const display = aDisplay(true);
    display.at(0, { step: "prepare" });
    expect(display.lastFrame()).toBe("[00:00] prepare");
    display.at(1, { step: "sites", files: 1, totalFiles: 2 });
    expect(display.lastFrame()).toBe("[00:01] sites: 50%, 1 of 2 files");
    display.at(1.5, { step: "sites", files: 2, totalFiles: 2 });
    expect(display.lastFrame()).toBe("[00:01] sites: 100%, 2 of 2 files");
    display.at(2, { step: "database", rows: 1 });
    expect(display.lastFrame()).toBe("[00:02] database: 1 rows");
    display.at(10, { step: "seal" });
    expect(display.lastFrame()).toBe("[00:10] seal");
  });

  it("never wraps into a second line", () => {
    const display = aDisplay(true, 30);
    display.at(0, { step: "database", bytes: 1, detail: "x".repeat(100) });
    expect(display.lastFrame()).toBe("[00:00] database: 1 B");
    display.at(10, { step: "y".repeat(100) });
    expect(display.lastFrame()).toHaveLength(29);
  });
});

describe("a line of progress", () => {
  const database = {
    latest: {
      ...{
        step: "database",
        bytes: 5e8,
        totalBytes: 1e9,
        rows: 1_000_000,
        totalRows: 2_227_024,
        estimated: true as const,
      },
      detail: "form_clinical_instructions",
    },
    milliseconds: 600_000,
  };
  const sites = {
    latest: { step: "sites", bytes: 9e9, totalBytes: 1e10, files: 90_000, totalFiles: 100_000 },
    milliseconds: 7_200_000,
  };

  it.each([
    [
      200,
      "[01:03] database: 50%, 10 min left, 476.8 MiB of about 953.7 MiB, 1,000,000 of about 2,227,024 rows, 813.8 KiB/s (form_clinical_instructions)",
    ],
    [
      120,
      "[01:03] database: 50%, 10 min left, 476.8 MiB of about 953.7 MiB, 1,000,000 of about 2,227,024 rows, 813.8 KiB/s",
    ],
    [80, "[01:03] database: 50%, 10 min left, 476.8 MiB of about 953.7 MiB"],
    [59, "[01:03] database: 50%, 10 min left"],
  ])("in %d columns leaves out the detail first, never the share and the time left", (width, line) => {
    expect(progressLine([database], 63_000, width)).toBe(line);
  });

  it("of two steps has both shares and times left in 60 columns", () => {
    expect(progressLine([database, sites], 3_723_000, 59)).toBe("database: 50%, 10 min left | sites: 90%, 14 min left");
  });

  it.each([
    [{ bytes: 999, totalBytes: 1000 }, "load: 99%, 1 s left, 999 B of 1000 B, 16 B/s"],
    [{ bytes: 1000, totalBytes: 1000 }, "load: 100%, 1000 B of 1000 B, 16 B/s"],
    [
      { bytes: 1000, totalBytes: 1000, estimated: true as const },
      "load: 99%, 1 s left, 1000 B of about 1000 B, 16 B/s",
    ],
    [{ files: 1, totalFiles: 241 }, "load: 0%, 4 h 12 min left, 1 of 241 files"],
  ])("is done only when the whole is known and reached: %j", (figures, words) => {
    expect(describeStep({ latest: { step: "load", ...figures }, milliseconds: 63_000 })).toBe(words);
  });
});

describe("totals of the dump before", () => {
  const seen = (event: ProgressEvent) => {
    const events: ProgressEvent[] = [];
    withEstimates((each) => events.push(each), { database: { totalBytes: 100, totalRows: 10 } })(event);
    return events;
  };

  it("are added to the step that they are of, as an estimate", () => {
    expect(seen({ step: "database", bytes: 50, rows: 5 })).toEqual([
      { step: "database", bytes: 50, rows: 5, totalBytes: 100, totalRows: 10, estimated: true },
    ]);
    expect(seen({ step: "sites", bytes: 50 })).toEqual([{ step: "sites", bytes: 50 }]);
  });

  it.each([
    { step: "database", bytes: 101, rows: 5 },
    { step: "database", bytes: 50, rows: 11 },
    { step: "database", bytes: 7, totalBytes: 7 },
  ])("are left out once they are exceeded, or the whole is known: %j", (event) => {
    expect(seen(event)).toEqual([event]);
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
