/** The look of the page, in light and dark, on a phone, a screen and on paper. Colours keep 4.5 : 1 with what is behind them. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f5f8; --card: #fff; --sunken: #f1f3f7; --line: #dde1e9; --strong-line: #8b93a3;
  --text: #181c25; --muted: #545d6e; --accent: #b3145e; --link: #0b5cad;
  --passed: #11703a; --failed: #b3202c; --warning: #8a5100; --pending: #4d5566; --skipped: #5a6373;
  --passed-tint: #e5f5ec; --failed-tint: #fdebec; --warning-tint: #fdf1dd; --pending-tint: #eceff4;
  --bar: #2f6fd0; --bar-step: #5585d4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1117; --card: #171b24; --sunken: #1f2530; --line: #2c3340; --strong-line: #76819a;
    --text: #e9ecf2; --muted: #a5afc0; --accent: #ff8cbb; --link: #82b7ff;
    --passed: #5fd38d; --failed: #ff8a8f; --warning: #f2b45c; --pending: #b6bfcf; --skipped: #a0a9b9;
    --passed-tint: #12291d; --failed-tint: #34191d; --warning-tint: #312512; --pending-tint: #222935;
    --bar: #6ea3f5; --bar-step: #4d7cc8;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 24px 20px 40px; max-width: 1160px; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; }
ul { list-style: none; }
code { font: 0.9em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
a { color: var(--link); text-underline-offset: 2px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.shapes { position: absolute; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -9999px; }
.skip:focus { position: static; }

.icon { flex: none; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.passed { --status: var(--passed); --tint: var(--passed-tint); }
.failed { --status: var(--failed); --tint: var(--failed-tint); }
.warning { --status: var(--warning); --tint: var(--warning-tint); }
.pending { --status: var(--pending); --tint: var(--pending-tint); }
.skipped { --status: var(--skipped); --tint: var(--pending-tint); }
.badge {
  display: inline-flex; align-items: center; gap: 5px; padding: 1px 9px 1px 6px; border-radius: 99px;
  background: var(--tint); color: var(--status); font-size: 13px; font-weight: 600; white-space: nowrap;
}
.badge .icon { width: 14px; height: 14px; }
.badge.plain { padding-left: 9px; background: var(--sunken); color: var(--muted); }

.verdict {
  padding: 22px 26px 24px; border: 1px solid var(--line); border-top: 6px solid var(--status); border-radius: 14px;
  background: var(--card);
}
.brand { display: flex; flex-wrap: wrap; gap: 4px 12px; color: var(--muted); font-size: 13px; }
.brand span:first-child { color: var(--text); font-weight: 700; letter-spacing: 0.01em; }
.brand .mode { padding: 0 9px; border: 1px solid var(--strong-line); border-radius: 99px; }
.brand time { margin-left: auto; }
.outcome { display: flex; width: fit-content; align-items: center; gap: 9px; margin-top: 18px; padding: 5px 16px 5px 7px; border-radius: 99px; background: var(--tint); color: var(--status); font-size: 17px; font-weight: 700; }
.outcome .icon { width: 30px; height: 30px; stroke-width: 1.5; }
h1 { margin-top: 10px; font-size: clamp(21px, 3.1vw, 30px); line-height: 1.24; letter-spacing: -0.012em; text-wrap: balance; }
.where { margin-top: 10px; color: var(--muted); }
.where b { color: var(--text); font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 10px; margin-top: 20px; }
.tiles li { padding: 10px 14px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.tiles strong { display: block; font-size: 21px; line-height: 1.3; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.tiles span { color: var(--muted); font-size: 13px; }

nav { margin: 14px 0 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: 2px 4px; }
nav a { display: inline-block; padding: 4px 10px; border-radius: 99px; color: var(--muted); font-size: 14px; text-decoration: none; }
nav a:hover { background: var(--card); color: var(--text); text-decoration: underline; }

section { margin-top: 14px; padding: 20px 26px 22px; border: 1px solid var(--line); border-radius: 14px; background: var(--card); scroll-margin-top: 12px; }
h2 { margin-bottom: 12px; font-size: 18px; line-height: 1.35; letter-spacing: -0.005em; }
.lead, caption, .rest { color: var(--muted); font-size: 14px; }
.lead { margin: -6px 0 14px; }
.rest { margin-top: 10px; }
#diagnosis { border-color: var(--failed); }
footer { margin-top: 18px; padding: 0 26px; color: var(--muted); font-size: 13px; }

.facts { display: grid; gap: 1px; }
.facts div { display: grid; grid-template-columns: 180px minmax(0, 1fr); gap: 2px 16px; padding: 7px 0; border-top: 1px solid var(--line); }
.facts div:first-child { border-top: 0; padding-top: 0; }
dt { color: var(--muted); font-size: 14px; }

table { width: 100%; border-collapse: collapse; font-size: 14px; }
caption { padding-bottom: 10px; margin-top: -6px; text-align: left; }
thead th { padding: 6px 16px 6px 0; border-bottom: 1px solid var(--strong-line); color: var(--muted); font-size: 13px; font-weight: 600; text-align: left; }
tbody th, tbody td { min-width: 6.8em; padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th { font-weight: 600; }
tbody tr:last-child > * { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
.figure { text-align: right !important; white-space: nowrap; font-variant-numeric: tabular-nums; }
tbody th.code { min-width: 15em; }
tbody .code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }

details { margin-top: 10px; }
summary { padding: 4px 0; cursor: pointer; font-weight: 600; }
details > table, details > ol { margin-top: 8px; }
details caption { margin-top: 0; }
.evidence ol { max-width: 100%; padding: 12px 14px 12px 46px; border-radius: 10px; background: var(--sunken); font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.evidence li::marker { color: var(--muted); }
.warnings li { padding: 7px 0; border-top: 1px solid var(--line); }
.warnings li:first-child { border-top: 0; padding-top: 0; }

.digest { margin: 14px 0; }
.change { margin: 0; border-top: 1px solid var(--line); padding: 8px 0; }
.change summary { font-weight: 400; }
.change summary { color: var(--muted); }
.change summary code { color: var(--text); font-weight: 600; }
.change ul { margin: 4px 0 8px 22px; list-style: disc; color: var(--muted); font-size: 14px; }
.field { margin: 8px 0; padding: 9px 12px; border-radius: 8px; background: var(--sunken); }
td .field:first-child { margin-top: 0; }
.field > code { display: block; color: var(--muted); }
.field del, .field ins {
  position: relative; display: block; margin-top: 4px; padding: 1px 8px 1px 24px; border-radius: 5px; color: var(--text); text-decoration: none; white-space: pre-wrap;
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
.field del { background: var(--failed-tint); }
.field ins { background: var(--passed-tint); }
.sign { position: absolute; left: 8px; font-weight: 700; }
del .sign { color: var(--failed); }
ins .sign { color: var(--passed); }

.timeline thead th:nth-child(2) { width: 46%; }
.timeline th:first-child { min-width: 200px; }
.timeline tbody th, .timeline tbody td { padding-top: 5px; padding-bottom: 5px; }
.timeline .badge { margin-left: 8px; }
td.figure { min-width: 4.6em; }
.step { display: inline-block; padding-left: 16px; border-left: 2px solid var(--line); font-weight: 400; }
.reached { color: var(--muted); font-weight: 400; }
.bar { display: block; margin-top: 5px; overflow: visible; }
.track { fill: var(--sunken); }
.bar .span, .bar .least { fill: var(--bar); }
.bar.inner .span, .bar.inner .least { fill: var(--bar-step); }
.bar.failed .span, .bar.failed .least { fill: var(--failed); }
.bar.mark { fill: var(--accent); }
.waits { margin: 5px 0 0; color: var(--muted); font-size: 13px; line-height: 1.4; }

.nodes { display: grid; grid-template-columns: repeat(auto-fill, minmax(286px, 1fr)); gap: 12px; }
.nodes li { padding: 12px; border: 1px solid var(--line); border-radius: 10px; background: var(--sunken); }
.nodes svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 13px; }
.nodes .node { font-weight: 700; }
.nodes .name { font-weight: 600; }
.nodes .part { fill: var(--muted); }
.server .body { fill: var(--bar); stroke: var(--bar); stroke-width: 2; }
.server.leader .body { fill: var(--accent); stroke: var(--accent); }
.server .glyph { fill: var(--card); }
.server .hollow { fill: none; stroke: var(--card); stroke-width: 2; }
.server .unknown { fill: var(--card); text-anchor: middle; font-weight: 700; }
.server.unready .body, .server.missing .body { fill: var(--card); stroke: var(--failed); stroke-dasharray: 3.5 2.5; }
.server.unready .glyph, .server.missing .glyph, .server.unready .unknown, .server.missing .unknown { fill: var(--failed); }
.server.unready .hollow, .server.missing .hollow { stroke: var(--failed); }
.client { fill: var(--passed); }
.client.unready { fill: none; stroke: var(--failed); stroke-width: 1.6; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin-top: 12px; color: var(--muted); font-size: 13px; }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg { width: 20px; height: 20px; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(232px, 1fr)); gap: 12px; }
.charts figure { padding: 14px 16px 10px; border: 1px solid var(--line); border-radius: 10px; }
.charts h3 { color: var(--muted); font-size: 14px; font-weight: 600; }
.charts strong { font-size: 20px; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.charts span { display: block; min-height: 20px; color: var(--muted); font-size: 13px; }
.chart { display: block; width: 100%; margin-top: 6px; }
.chart .base { stroke: var(--strong-line); stroke-width: 1; }
.chart .alike { fill: var(--bar); stroke: var(--bar); stroke-width: 1; }
.chart .other { fill: var(--card); stroke: var(--bar); stroke-width: 1; }
.chart .newest { fill: var(--accent); stroke: var(--accent); }

@media (max-width: 700px) {
  body { padding: 12px 10px 28px; }
  .verdict, section { padding-left: 16px; padding-right: 16px; }
  .brand time { margin-left: 0; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); }
  .facts div { grid-template-columns: minmax(0, 1fr); }
  table, tbody, caption { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tbody tr { display: block; padding: 10px 0; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border-bottom: 0; padding-bottom: 0; }
  tbody th, tbody td { display: block; min-width: 0; padding: 2px 0; border: 0; }
  tbody td:empty { display: none; }
  tbody td[data-title]::before { content: attr(data-title) ": "; color: var(--muted); font-family: system-ui, sans-serif; }
  .figure { text-align: left !important; white-space: normal; }
  .timeline td.wide::before, td.wide:has(.field)::before { content: none; }
  #checks th, #checks td[data-title="Status"] { display: inline-block; margin-right: 10px; }
  td[data-title="Status"]::before, td[data-title="Outcome"]::before { content: none !important; }
  tbody th.code { min-width: 0; }
  .timeline tbody tr { padding: 6px 0; }
  .timeline tbody td.figure:not(:empty) { display: inline-block; margin-right: 14px; color: var(--muted); font-size: 13px; }
}
@media print {
  :root { --page: #fff; --card: #fff; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  nav, .skip { display: none; }
  .verdict, section { break-inside: auto; }
  tr, .nodes li, .charts figure, .field { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@media (forced-colors: active) { .bar, .chart, .nodes svg, .legend svg { forced-color-adjust: none; } }
`;
