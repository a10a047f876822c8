import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { darkColours, lightColours } from "@openemr-ops/report/page/style";
import { renderReport } from "@openemr-ops/report/renderReport";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aReport } from "../support/aReport.ts";
import { aNewInstallation, anUnreachableStore, aSurvey, aYear } from "../support/aSurvey.ts";
import { type Browser, type BrowserPage, startChromium } from "../support/chromium.ts";

const source = renderReport(
  aReport([
    aYear(),
    aSurvey({ installation: "clinic-b" }),
    anUnreachableStore("clinic-c"),
    aNewInstallation("clinic-d"),
  ]),
);

let directory: string;
let browser: Browser;
let page: BrowserPage;

const opened = async (name: string, text: string): Promise<BrowserPage> => {
  const file = join(directory, name);
  await writeFile(file, text);
  return browser.open(pathToFileURL(file).href);
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-report-"));
  browser = await startChromium();
  page = await opened("report.html", source);
});
afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const views = [
  { name: "light", width: 1000 },
  { name: "dark", width: 1000, dark: true },
  { name: "on a telephone", width: 390 },
] as const;

/** As the browser writes it: `rgb(13, 17, 23)`. */
const rgb = (colour: string): string =>
  `rgb(${[1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)).join(", ")})`;

const paper = "getComputedStyle(document.body).backgroundColor";

describe.each(views)("the page of a report, $name", (view) => {
  beforeAll(() => page.view(view));

  it("is shown without a complaint, and asks for nothing", async () => {
    expect((await page.screenshot()).length).toBeGreaterThan(10_000);
    expect(page.complaints).toEqual([]);
  });

  it("fits its screen: tables scroll by themselves", async () => {
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(view.width);
  });

  it("has the colours of its mode", async () => {
    expect(await page.evaluate(paper)).toBe(rgb("dark" in view ? darkColours.paper : lightColours.paper));
  });

  it("has plots that fill their column, with texts that can be read", async () => {
    const plots = await page.evaluate<readonly { wide: number; text: number }[]>(
      `[...document.querySelectorAll("svg.plot")].map((svg) => ({
        wide: svg.getBoundingClientRect().width / svg.parentElement.getBoundingClientRect().width,
        text: Number.parseFloat(getComputedStyle(svg.querySelector("text")).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width,
      }))`,
    );
    expect(plots.length).toBeGreaterThan(10);
    expect(Math.min(...plots.map(({ wide }) => wide))).toBeGreaterThan(0.99);
    expect(Math.min(...plots.map(({ text }) => text))).toBeGreaterThan(10.5);
  });
});

it("a screen reader gets the name of every plot, and what marks mean by words", async () => {
  const nodes = await page.accessibleNodes();
  const named = await page.evaluate<readonly string[]>(
    `[...document.querySelectorAll("svg.plot")].map((svg) => svg.getAttribute("aria-label"))`,
  );
  const images = nodes.filter(({ role }) => role === "image" || role === "img").map(({ name }) => name);
  expect(images).toEqual(named);
  expect(nodes.filter(({ role, name }) => role === "image" && name === "")).toEqual([]);
});

it("paper is light, whatever the screen is, and holds every plot", async () => {
  await page.view({ width: 1000, dark: true });
  const pdf = await page.pdf();
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  await page.print({ dark: true });
  expect(await page.evaluate(paper)).toBe(rgb(lightColours.paper));
  const heights = await page.evaluate<readonly number[]>(
    `[...document.querySelectorAll("svg.plot")].map((svg) => svg.getBoundingClientRect().height)`,
  );
  // 90 mm at 96 dots to the inch.
  expect(Math.max(...heights)).toBeLessThanOrEqual(341);
  expect(Math.min(...heights)).toBeGreaterThan(40);
});

it("a style or a script that somebody added is refused by the page, and seen by these tests", async () => {
  const spoiled = source
    .replace("<h1>", '<h1 style="color:red">')
    .replace("</body>", "<script>document.title = 1</script></body>");
  const { complaints, evaluate } = await opened("spoiled.html", spoiled);
  expect(complaints.join("\n")).toContain("Content Security Policy");
  expect(complaints.length).toBe(2);
  expect(await evaluate("document.title")).toMatch(/^OpenEMR Ops report of/);
});
