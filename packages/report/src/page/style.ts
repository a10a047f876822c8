/** Colours on white: text and marks have a contrast of 4.5 to 1 or more. */
export const lightColours = {
  paper: "#ffffff",
  text: "#1b1f24",
  muted: "#59636e",
  rule: "#d1d9e0",
  good: "#1a7f37",
  plain: "#0969da",
  warn: "#9a6700",
  bad: "#cf222e",
} as const;

/** The same on a dark screen. */
export const darkColours: Readonly<Record<keyof typeof lightColours, string>> = {
  paper: "#0d1117",
  text: "#e6edf3",
  muted: "#9198a1",
  rule: "#3d444d",
  good: "#3fb950",
  plain: "#58a6ff",
  warn: "#d29922",
  bad: "#ff7b72",
};

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour};`)
    .join("");

/** All that gives the page its look. Nothing is loaded from anywhere. Paper is always light. */
export const style = `
:root{color-scheme:light;${variables(lightColours)}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${variables(darkColours)}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:60rem;background:var(--paper);color:var(--text);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.25rem;margin:2.5rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--rule)}
h3{font-size:1.05rem;margin:1.75rem 0 .25rem}
h4{font-size:.95rem;margin:1.25rem 0 .25rem}
p{margin:.25rem 0 .75rem}
a{color:var(--plain)}
.muted,figcaption,caption{color:var(--muted)}
figure{margin:.5rem 0 1rem}
figcaption{font-size:.875rem}
.plot{display:block;width:100%;height:auto;margin-top:.25rem}
.plot text{font:12px system-ui,sans-serif;fill:var(--muted)}
.grid{stroke:var(--rule);stroke-width:1}
.axis{stroke:var(--muted);stroke-width:1}
.goal{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:8 4}
.good{color:var(--good)}.plain{color:var(--plain)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.solid{fill:currentColor}
.line{fill:none;stroke:currentColor;stroke-width:1.8}
.warn.line{stroke-dasharray:5 3}
circle.line,.warn.line.whole{stroke-dasharray:none}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:.25rem 0;padding:0;font-size:.875rem}
.key{vertical-align:-2px;margin-right:.35rem}
.attention{padding-left:0;list-style:none}
.attention li{padding:.3rem 0;border-bottom:1px solid var(--rule);font-size:.9rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.875rem;margin:.25rem 0 1rem;overflow-wrap:normal}
caption{text-align:left;padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--rule)}
th{white-space:nowrap}
td.figure,th.figure{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.words{min-width:12rem;overflow-wrap:anywhere}
td time,td code,td strong{white-space:nowrap}
code{font:.9em ui-monospace,monospace}
summary{cursor:pointer;color:var(--plain);font-size:.875rem}
strong.bad::before{content:"\\2715\\a0"}
strong.warn::before{content:"\\25b3\\a0"}
strong.good::before{content:"\\2713\\a0"}
.unread{border:1px solid var(--bad);border-left-width:5px;padding:.5rem .75rem;margin:.5rem 0 1rem}
@media (max-width:40rem){
body{font-size:15px;padding:1rem .75rem 2rem}
.plot text{font-size:22px}
.plot .solid{stroke:currentColor;stroke-width:2.5}
.plot .line{stroke-width:2.8}
}
@page{size:A4;margin:14mm}
@media print{
body{max-width:none;padding:0;font-size:10pt}
h2,h3,h4,summary,caption,.muted{break-after:avoid}
figure,tr,li,.unread,.legend,.scroll{break-inside:avoid}
thead{display:table-header-group;break-after:avoid}
.scroll{overflow:visible}
table{font-size:8pt}
th,td{padding-right:.4rem}
td.words{min-width:0}
details:not([open]){display:none}
summary{color:var(--muted)}
a{color:inherit;text-decoration:none}
.plot{max-height:90mm}
.plot text{font-size:12px}
.plot .solid{stroke:none}
}
`;
