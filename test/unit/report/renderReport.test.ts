import { hash } from "node:crypto";
import { visible } from "@openemr-ops/core/visible";
import { html } from "@openemr-ops/report/html";
import { darkColours, lightColours } from "@openemr-ops/report/page/style";
import { renderReport } from "@openemr-ops/report/renderReport";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aReport } from "../../support/aReport.ts";
import {
  aNewInstallation,
  anUnreachableStore,
  aSurvey,
  aSurveyedDump,
  aSurveyedStore,
  aYear,
} from "../../support/aSurvey.ts";
import { attributeOf, type Element, elementsIn, parsePage, rowsOf, textOf } from "../../support/parsePage.ts";

const estate = aReport(
  [aYear(), aSurvey({ installation: "clinic-b" }), anUnreachableStore("clinic-c"), aNewInstallation("clinic-d")],
  400,
);
const source = renderReport(estate);
const page = parsePage(source);

const known = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** The middle of a mark, from top to bottom. */
const heightOf = (mark: Element): number => {
  const middle = attributeOf(mark, "cy");
  if (middle !== undefined) return Number(middle);
  const ys = [...(attributeOf(mark, "d") ?? "").matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
  return (Math.min(...ys) + Math.max(...ys)) / 2;
};

describe("the page of a report", () => {
  it("is HTML without a fault, and repeats itself for the same document", () => {
    expect(page.errors).toEqual([]);
    expect(renderReport(estate)).toBe(source);
  });

  it("loads nothing, runs nothing, and allows its own style alone", () => {
    expect(page.all("script", "link", "img", "iframe", "object", "embed", "form", "base")).toEqual([]);
    const outside = page.elements
      .flatMap(({ attrs }) => attrs)
      .filter(({ name }) => /^(src|srcset|style|on.*)$/.test(name));
    expect(outside).toEqual([]);
    expect(page.all("a").every((link) => attributeOf(link, "href")?.startsWith("#"))).toBe(true);
    const [style] = page.all("style");
    const [policy] = page.all("meta").filter((meta) => attributeOf(meta, "http-equiv") === "Content-Security-Policy");
    const digest = hash("sha256", style ? textOf(style) : "", "base64");
    expect(policy && attributeOf(policy, "content")).toBe(
      `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
    );
    expect(style && textOf(style)).not.toMatch(/url\(|@import|@font-face/);
  });

  it("has the same dumps as the document, figure for figure", () => {
    const stores = estate.installations.flatMap(({ stores }, index) =>
      stores.map((store) => ({ store, id: `installation-${index + 1}-${store.copy ?? 0}-dumps` })),
    );
    for (const { store, id } of stores) {
      const rows = rowsOf(page.byId(id));
      expect(
        rows.map(({ dump, rows: count, files, database, "files size": size, took }) =>
          known({ dump, count, files, database, size, took }),
        ),
      ).toEqual(
        store.dumps.map(
          ({ dumpId: dump, rows: count, files, databaseBytes: database, filesBytes: size, seconds: took }) =>
            known({ dump, count, files, database, size, took }),
        ),
      );
      expect(rows.map((row) => row["taken at (UTC)"])).toEqual(store.dumps.map(({ at }) => at));
    }
    expect(stores.map(({ store }) => store.dumps.length)).toEqual([400, 31, 14, 3, 0]);
  });

  it("has the same drills, retention, ages and due times as the document", () => {
    const [first] = estate.installations;
    const value = <Value>(reading: { value: Value } | { unread: unknown } | undefined): Value => {
      if (!reading || !("value" in reading)) throw new Error("it was to be read");
      return reading.value;
    };
    expect(
      rowsOf(page.byId("installation-1-drills")).map((row) =>
        known({ at: row["started at (UTC)"], took: row["restore took"] }),
      ),
    ).toEqual(value(first?.drills).drills.map(({ at, restoreSeconds: took }) => known({ at, took })));
    expect(
      rowsOf(page.byId("installation-1-0-retention")).map((row) => ({
        dump: row.dump,
        action: row["next run"],
        why: row.because,
        at: row["deleted about (UTC)"],
      })),
    ).toEqual(
      value(first?.stores[0]?.retention).map(({ dumpId, action, reasons, expectedAt }) => ({
        dump: dumpId,
        action: action === "keep" ? "keeps it" : "deletes it",
        why: reasons.join("; "),
        at: action === "delete" ? "with the next run" : (expectedAt ?? "not within 400 days"),
      })),
    );
    expect(rowsOf(page.byId("installation-1-credentials")).map((row) => row.age)).toEqual(
      value(first?.credentials).map(({ ageDays }) => ageDays),
    );
    expect(rowsOf(page.byId("installation-1-exports")).map(({ age, size }) => ({ age, size }))).toEqual(
      value(first?.exports).map(({ ageDays: age, bytes: size }) => ({ age, size })),
    );
    expect(rowsOf(page.byId("installation-1-schedules")).map((row) => row["next due (UTC)"])).toEqual(
      value(first?.schedules).map(({ nextDueAt }) => nextDueAt),
    );
    const warnings = page.all("ul").filter((list) => attributeOf(list, "class") === "attention");
    const items = warnings.flatMap((list) => elementsIn(list).filter(({ tagName }) => tagName === "li")).map(textOf);
    const messages = estate.installations.flatMap(({ openWarnings }) => openWarnings.map(({ message }) => message));
    expect(items.length).toBe(messages.length);
    for (const message of messages) expect(items.some((item) => item.trim().endsWith(message))).toBe(true);
  });

  it("draws one mark for each dump of its days, in a lane of its state", () => {
    const [timeline] = page.all("svg").filter((svg) => attributeOf(svg, "class") === "plot");
    const drawn = timeline ? elementsIn(timeline) : [];
    const lanes = drawn.flatMap((line, index) => {
      const label = drawn[index + 1];
      const level = attributeOf(line, "y1");
      const isLane = level !== undefined && level === attributeOf(line, "y2") && label?.tagName === "text";
      return isLane ? [{ words: textOf(label), y: Number(level), marks: 0 }] : [];
    });
    for (const mark of drawn.filter((one) => elementsIn(one).some(({ tagName }) => tagName === "title"))) {
      const y = heightOf(mark);
      const [lane] = lanes.filter((one) => Math.abs(one.y - y) < 1);
      if (lane) lane.marks += 1;
    }
    expect(lanes.map(({ words, marks }) => [words, marks])).toEqual([
      ["verified", 10],
      ["complete, not verified", 23],
      ["not complete", 1],
      ["failed", 4],
      ["expired", 362],
    ]);
  });

  it("gives every plot a name, and a table with its figures", () => {
    const plots = page.all("svg").filter((svg) => attributeOf(svg, "aria-hidden") !== "true");
    expect(plots.length).toBeGreaterThan(10);
    for (const svg of plots) {
      expect(attributeOf(svg, "role")).toBe("img");
      expect(attributeOf(svg, "aria-label")).toMatch(/ of .*clinic-[a-d]/);
      expect(page.byId(attributeOf(svg, "aria-details") ?? "")?.tagName).toBe("table");
    }
    const names = plots.map((svg) => attributeOf(svg, "aria-label"));
    expect(new Set(names).size).toBe(names.length);
  });

  it("has headings in order, one of the first level, and no identifier twice", () => {
    const levels = page.all("h1", "h2", "h3", "h4").map(({ tagName }) => Number(tagName.slice(1)));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1).length).toBe(1);
    const steps = levels.slice(1).map((level, index) => level - (levels[index] ?? level));
    expect(Math.max(...steps)).toBe(1);
    const ids = page.elements.map((element) => attributeOf(element, "id")).filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("names each column and row of its tables, and each table", () => {
    for (const table of page.all("table")) {
      const cells = elementsIn(table).filter(({ tagName }) => tagName === "th");
      expect(cells.every((cell) => /^(col|row)$/.test(attributeOf(cell, "scope") ?? ""))).toBe(true);
      expect(elementsIn(table).some(({ tagName }) => tagName === "caption")).toBe(true);
    }
  });

  it("shows a store that does not answer as such, and never as empty", () => {
    const section = page.byId("installation-3");
    const text = section ? textOf(section) : "";
    expect(text).toContain("s3://clinic-a-dumps/production could not be read.");
    expect(text).toContain("DestinationUnavailableError");
    expect(text).not.toMatch(/No dump is there|There are no/);
    expect(rowsOf(page.byId("overview"))[2]?.["newest complete dump (UTC)"]).toBe("could not be read");
    expect(estate.complete).toBe(false);
    expect(source).toContain("Some data could not be read.");
    expect(renderReport(aReport([aSurvey()]))).not.toContain("could not be read");
  });

  it("says so where there is no dump, and where nothing needs attention", () => {
    const fresh = parsePage(renderReport(aReport([aNewInstallation("clinic-a")])));
    expect(fresh.all("p").map(textOf)).toContain("No dump is there.");
    expect(fresh.all("table").map((table) => attributeOf(table, "id"))).toEqual(["overview"]);
    const calm = parsePage(renderReport(aReport([aSurvey()])));
    expect(calm.all("p").map(textOf)).toContain("Nothing.");
  });

  it("shows each text as it is, whatever it contains", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: fc.constantFrom("<", ">", '"', "'", "&", "/", "]", "script", "!--", "=", " ", "\n") }),
        (one, other) => {
          const { elements } = parsePage(html`<p title="${one}${other}">${one}${other}</p>`.source);
          const [paragraph, ...more] = elements.filter(({ tagName }) => !["html", "head", "body"].includes(tagName));
          expect(more).toEqual([]);
          expect(paragraph && textOf(paragraph)).toBe(visible(one + other));
          expect(paragraph && attributeOf(paragraph, "title")).toBe(visible(one + other));
        },
      ),
    );
  });

  it.each([
    `</td></table><script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `]]></title></svg><style>*{display:none}</style>`,
    `' onmouseover='alert(1)`,
    `\u202e<b>\u0000`,
  ])("stays whole around %j, wherever it comes from", (hostile) => {
    const dump = aSurveyedDump(0, { complete: false, problem: hostile });
    const unread = { name: hostile, message: hostile };
    const survey = aSurvey({
      installation: hostile,
      stores: [
        aSurveyedStore([dump], {
          destination: hostile,
          format: hostile,
          warnings: [{ code: hostile, message: hostile }],
        }),
        aSurveyedStore([], { copy: 1, dumps: { unread }, retention: { unread } }),
      ],
      exports: { unread },
      schedules: { value: [{ kind: hostile, noun: hostile, cron: hostile, timeZone: hostile }] },
    });
    const { errors, elements, all } = parsePage(renderReport(aReport([survey])));
    expect(errors).toEqual([]);
    expect(all("script", "img", "b")).toEqual([]);
    expect(all("style").length).toBe(1);
    expect(elements.flatMap(({ attrs }) => attrs).filter(({ name }) => name.startsWith("on"))).toEqual([]);
    expect(all("h2").map(textOf)).toContain(visible(hostile));
  });

  it("has text and marks of enough contrast, light and dark", () => {
    const luminance = (colour: string): number => {
      const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
      const [red = 0, green = 0, blue = 0] = channels.map((one) =>
        one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    for (const { paper, rule: _, ...colours } of [lightColours, darkColours])
      for (const colour of Object.values(colours)) {
        const [low = 0, high = 0] = [luminance(paper), luminance(colour)].sort((one, other) => one - other);
        expect((high + 0.05) / (low + 0.05)).toBeGreaterThanOrEqual(4.5);
      }
  });
});
