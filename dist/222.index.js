export const id=222;export const ids=[222];export const modules={80222:(e,t,n)=>{n.r(t),n.d(t,{toHtml:()=>ep});var i=n(77598),a=n(28094),r=n(60975),o=n(136),l=n(72527);class s{#e;constructor(e,t){if(t!==d)throw TypeError("only `markup` makes markup");this.#e=e}toString(){return this.#e}}let d=Symbol("made by markup");function p(e,...t){return new s(String.raw({raw:e},...t.map(h)),d)}let c=/\p{Noncharacter_Code_Point}/gu;function h(e){return void 0===e||!1===e?"":e instanceof s?e.toString():"number"==typeof e?String(e):"string"==typeof e?(0,l.qy)((0,l.sN)(e)).replace(c,""):e.map(h).join("")}function g(e,t=500){return(0,l.TN)(e,t)}function u(e){let[,t,n]=/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(e)??[];return void 0===t||void 0===n?p`${g(e,40)}`:p`<time datetime="${e}">${t} ${n} UTC</time>`}var f=n(28605);function m(e,t){let n=e.slice(0,100);return{rows:n.map(t),left:e.length-n.length}}function $({id:e,title:t,head:n,rows:i=[],left:a=0,tail:r,noun:o="rows are",rank:l=0}){return[{head:`${p`<section id="${e}" aria-labelledby="${e}-title">\n<h2 id="${e}-title">${t}</h2>\n${n}`}`,rows:i.map(e=>e.toString().trimEnd()),tail:`${p`${r}`}`,noun:o,rank:l,left:a},{head:"</section>\n",rows:[],tail:"",noun:o,rank:l}]}let x={passed:p`<circle cx="8" cy="8" r="7"/><path d="M4.8 8.3l2.2 2.2 4.3-4.8"/>`,failed:p`<circle cx="8" cy="8" r="7"/><path d="M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2"/>`,pending:p`<circle cx="8" cy="8" r="7"/><path d="M8 4.4V8l2.4 1.6"/>`,warning:p`<path d="M8 1.6L15 14H1z"/><path d="M8 6.2v3.6m0 1.9v.3"/>`,skipped:p`<circle cx="8" cy="8" r="7"/><path d="M5 8h6"/>`},v={passed:"passed",failed:"failed",pending:"still open",warning:"warning",skipped:"skipped"};function b(e){return p`<svg class="icon ${e}" width="16" height="16" aria-hidden="true"><use href="#shape-${e}"/></svg>`}function w(e,t=v[e]){return p`<span class="badge ${e}">${b(e)}${t}</span>`}function y(e,t,n,i){let a=t.map(({title:e,kind:t=""})=>p`<th role="columnheader" scope="col" class="${t}">${e}</th>`);return{head:p`<table role="table"><caption>${e}</caption><thead role="rowgroup"><tr role="row">${a}</tr></thead><tbody role="rowgroup">\n`,...m(n,e=>(function(e,t){let[n,...i]=t,a=i.map((t,n)=>{let{title:i="",kind:a=""}=e[n+1]??{};return p`<td role="cell" class="${a}" data-title="${i}">${t}</td>`}),{kind:r=""}=e[0]??{};return p`<tr role="row"><th role="rowheader" scope="row" class="${r}">${n}</th>${a}</tr>\n`})(t,i(e))),tail:p`</tbody></table>\n`}}function k(e,t,n){let{head:i,rows:a,tail:r}=y(e,t,n,e=>e);return p`${i}${a}${r}`}var M=n(82284);function S(e){let t=e.map(([e,t])=>p`<div><dt>${e}</dt><dd>${t}</dd></div>\n`);return p`<dl class="facts">\n${t}</dl>\n`}var j=n(27661),z=n(86981),U=n(68671);let[C,W,T,F]=[12,20,20,40];function O(e){let t=a.TC[e];return U.VV.has(e)?w("data-loss"===e?"failed":"warning",t):p`<span class="badge plain">${t}</span>`}function N({path:e,before:t,after:n}){return p`<div class="field"><code>${g(e,300)}</code>${A("del","−","before",t)}${A("ins","+","after",n)}</div>`}function A(e,t,n,i){if(void 0===i)return;let a=(0,l.pj)(i).split("\n"),r=a.slice(0,F).map(e=>g(e,400)),o=a.length>F?`
… ${(0,M.U)(a.length-F,"more line")}`:"",s=p`<span class="sign" aria-hidden="true">${t}</span><span class="spoken">${n}: </span>${r.join("\n")}${o}`;return"del"===e?p`<del>${s}</del>`:p`<ins>${s}</ins>`}function D({kind:e,name:t,what:n,fields:i,by:a,at:r}){let o=i.length-20;return[g(`${e}/${t}`,300),p`${"changed"!==n&&w("warning",j.NF[n])}${i.slice(0,20).map(N)}${o>0&&p`<p class="rest">${(0,M.U)(o,"more field")} not shown here.</p>`}`,void 0===a?"":g(a,200),void 0===r?"":u(g(r,40))]}let V={found:["warning","found"],kept:["skipped","kept"],removed:["passed","removed"],stayed:["failed","did not go"],returned:["failed","came back"]};function B({class:e,nodes:t,service:n,evidence:i,remedy:a,why:r,outcome:o}){let l=t.slice(0,5).map(e=>g(e,120)),s=t.length>5?` and ${t.length-5} more`:"",d=`${l.join(", ")}${s}`;return[void 0===n?`node ${d}`:`${g(n,120)} at ${d}`,w(...V[o]),e,g(i),z.nx[a],g(r)]}let E={plaintext:"plaintext","takes-both":"encrypted; plaintext is still taken",strict:"encrypted"},P={plaintext:"plaintext",offered:"TLS beside plaintext",enforced:"TLS"};function R({kind:e,name:t,namespace:n,action:i}){return[g(`${e}/${t}`,300),void 0===n?"":g(n,120),i]}let[H,L,q]=[300,72,66],I=[{id:"time-to-verdict",title:"Time to verdict",of:e=>e.verdictMs,told:o.a},{id:"commit-latency",title:"Commit latency",of:e=>e.commitMs,told:o.a},{id:"failed-writes",title:"Failed writes",of:e=>e.failedWrites,told:String},{id:"drift-count",title:"Drift",of:e=>e.drift,told:e=>(0,M.U)(e,"object")}];function J(e,t){return e.mode===t.mode&&e.changed===t.changed}var K=n(48703),X=n(52777);function _(e,[t="",...n],i){if(0===i.length)return;let a=[{title:t,kind:"code"},...n.map(e=>({title:e,kind:"figure"}))];return p`<details><summary>${e}</summary>${k(e,a,i)}</details>\n`}let G=`
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
`;var Z=n(71965),Q=n(89155);function Y({startMs:e,endMs:t,status:n},i,a){let r=i(t-e);return p`<svg class="bar ${a} ${n}" width="100%" height="12" aria-hidden="true"><rect class="track" width="100%" height="12" rx="3"/><rect class="least" x="${i(e)}" width="2" height="12"/><rect class="span" x="${i(e)}" width="${r}" height="12" rx="2"/></svg>`}let[ee,et]=[16,48];function en(e,t){return e.reduce((e,n)=>e+n[t],0)}let ei={ready:"ready",unready:"not ready",missing:"no pod"};function ea({raft:e,state:t}){return`${({leader:"leader",voter:"voter","non-voter":"no voter",none:"server"})[e??"none"]}, ${ei[t]}`}function er({name:e,servers:t,clients:n,ready:i},a){let r=void 0===e?"On no node yet":g(e,120),o=Math.min(n,et),l=34+40*t.length,s=Math.ceil(o/ee),d=l+(n>0?26+15*s:0)+4,c=`${i} of ${(0,M.U)(n,"client")} ready`,h=[...t.map(e=>`${g(e.name,120)}: ${ea(e)}`),...n>0?[c]:[]].join(". ");return p`<li><svg role="img" aria-labelledby="node-${a} node-${a}-words" viewBox="0 0 ${260} ${d}" width="${260}" height="${d}"><title id="node-${a}">${r}</title><desc id="node-${a}-words">${h}.</desc>
<text class="node" x="0" y="15">${el(r,30)}</text>${t.map((e,t)=>(function(e,t){let{raft:n="none",state:i,name:a}=e,r={leader:p`<path class="glyph" d="${eo}"/>`,voter:p`<circle class="glyph" r="4"/>`,"non-voter":p`<circle class="hollow" r="4"/>`,none:p`<text class="unknown" y="4">?</text>`}[n];return p`<g class="server ${n} ${i}"><g transform="translate(14 ${t+14})"><circle class="body" r="13"/>${r}</g><text x="38" y="${t+11}" class="name">${el(g(a,120),26)}</text><text x="38" y="${t+27}" class="part">${ea(e)}</text></g>`})(e,34+40*t))}${n>0&&function({clients:e,ready:t,squares:n,told:i,top:a}){let r=Math.min(e-t,n),o=Array.from({length:n},(e,t)=>{let[i,o]=[t%ee*16,a+24+15*Math.floor(t/ee)];return t<n-r?p`<rect class="client" x="${i}" y="${o}" width="11" height="11" rx="2"/>`:p`<path class="client unready" d="M${i+1} ${o+1}h9v9h-9zl9 9m0-9l-9 9"/>`}),l=e>n?`, ${n} drawn`:"";return p`<text class="part" x="0" y="${a+12}">${i}${l}</text>${o}`}({clients:n,ready:i,squares:o,told:c,top:l})}</svg></li>`}let eo="M0-6.4l1.9 4 4.4.5-3.3 3 .9 4.3L0 3.3l-3.9 2.1.9-4.3-3.3-3 4.4-.5z";function el(e,t){if(e.length<=t)return e;let n=Math.floor((t-1)/2);return`${e.slice(0,t-1-n)}…${e.slice(-n)}`.toWellFormed()}let es={success:{word:"Success",status:"passed"},failure:{word:"Failure",status:"failed"},cancelled:{word:"Cancelled",status:"pending"}};function ed(e,t){return 1===e?t:`${t}s`}function ep(e,t=5e5){let n,i,l=function(e){var t;let n=(e.plan??[]).filter(({consequence:e})=>"none"!==e),i=(0,a.Nu)(e);if(!e.plan||!i&&0===n.length)return[];let r=i&&void 0!==e.planDigest&&p`<p class="digest">Plan digest <code>${g(e.planDigest)}</code>${!e.failure&&p`. A deploy with it as <code>expect-plan</code> does exactly this, or nothing.`}</p>\n`,o=void 0!==e.plannedSnapshot&&p`<p>${g(e.plannedSnapshot,300)}</p>\n`;return[{id:"plan",title:i?"Plan: what a deploy would do":`Plan: ${(0,a.MM)(e)}`,head:p`${(t=e.plan,k("How many objects, by what happens to them; the gravest first.",[{title:"Consequence"},{title:"Objects",kind:"figure"},{title:"Which",kind:"wide"}],U.sd.flatMap(e=>{let n=t.filter(t=>t.consequence===e);if(0===n.length)return[];let i="none"===e?[]:n.slice(0,C),r="none"===e?0:n.length-i.length;return[[O(e),n.length,p`${i.map((e,t)=>p`${t>0&&", "}<code>${g((0,a.Xy)(e),120)}</code>`)}${r>0&&` and ${r} more`}`]]})))}${o}${r}`,...m(n,e=>(function(e,t){let{fields:n,pods:i=[],podCount:r=0,notes:o,consequence:l}=e,s=n.length-T,d=[...r>0?[function(e,t){if(0===e.length)return`${(0,M.U)(t,"pod")} replaced`;let n=e.length-W,i=e.slice(0,W).map(e=>g(e,120));return`${(0,M.U)(t,"pod")} replaced, in this order: ${i.join(", ")}${n>0?` and ${n} more`:""}`}(i,r)]:[],...o.slice(0,C)];return p`<details class="change"${t&&p` open`}><summary>${O(l)} <code>${g((0,a.Xy)(e),300)}</code>${n.length>0&&` ${(0,M.U)(n.length,"field")}`}</summary>${d.length>0&&p`<ul>${d.map(e=>p`<li>${g(e)}</li>`)}</ul>`}${n.slice(0,T).map(N)}${s>0&&p`<p class="rest">${(0,M.U)(s,"more field")} not shown here.</p>`}${d.length+n.length===0&&p`<p>Nothing more to tell.</p>`}</details>`})(e,i&&U.VV.has(e.consequence))),noun:"changes are",rank:i?2:3}]}(e),s=(0,a.Nu)(e),d=[...function(e){if("success"===e.result)return[];let{failure:t}=e,n=t?.details??[],{check:i}=(0,r.WJ)(e),a=[];if(t&&a.push(["Cause",g(t.what,2e3)]),i){let{status:e,title:t,expected:n,observed:r}=i;a.push(["Check",p`${w(e)} <b>${g(t)}</b>: expected ${g(n)}, observed ${g(r,1e3)}`])}if(t?.where!==void 0&&a.push(["Where",p`<code>${g(t.where,1e3)}</code>`]),t?.hint!==void 0&&a.push(["What to do",p`<strong>${g(t.hint,2e3)}</strong>`]),t?.help!==void 0&&a.push(["Help",p`<a href="${t.help}" rel="noreferrer">${t.reason}</a>`]),t?.detection){let{seenMs:e,dueMs:n}=t.detection;a.push(["Seen",`${(0,o.a)(Math.max(0,e))} after the start; told after ${(0,o.a)(Math.max(0,n))}`])}return"render"!==e.mode&&a.push(["The cluster is left as",g(e.left,1e3)]),[{id:"diagnosis",title:"Diagnosis",head:p`${S(a)}${n.length>0&&p`<details open class="evidence"><summary>Evidence: ${(0,M.U)(n.length,"line")}</summary><ol>\n`}`,...m(n,e=>p`<li>${g(e,2e3)}</li>`),tail:n.length>0&&p`</ol></details>\n`,noun:"lines of evidence are"}]}(e),...s?l:[],...function({drift:e=[]}){return 0===e.length?[]:[{id:"drift",title:`Drift: ${(0,j.lt)(e)}`,...y("What is not as it was deployed.",[{title:"Object",kind:"code"},{title:"As deployed, and as it is",kind:"wide"},{title:"By",kind:"wide"},{title:"At"}],e,D),noun:"differences are",rank:2}]}(e),...function({ghosts:e=[]}){if(0===e.length)return[];let t=e.filter(({counts:e})=>e),n=e.length-t.length;return[{id:"catalog",title:`Catalog: ${(0,M.U)(t.length,"ghost")}${n>0?`, ${n} that may stay`:""}`,...y("What should not be in the catalog, or looks like it.",[{title:"What",kind:"code"},{title:"Outcome"},{title:"Class"},{title:"Evidence",kind:"wide"},{title:"Remedy"},{title:"Why",kind:"wide"}],[...t,...e.filter(({counts:e})=>!e)],B),noun:"ghosts are",rank:1}]}(e),...function({difference:e}){if(!e)return[];let t=(0,K.l$)(e);return[{id:"difference",title:`Difference: ${(0,K.WV)(e)}`,...t.length>0&&y("What differs, by name.",[{title:"Kind"},{title:"Where"},{title:"Name",kind:"code"}],t,e=>e.map(e=>g(e,300))),noun:"differences are",rank:1}]}(e),...function({snapshot:e}){if(!e)return[];let{path:t,bytes:n,encrypted:i,stale:a,takenAt:r,counts:o,prefixes:l,services:s}=e,d=void 0!==r&&p` Taken at ${u(g(r,40))}.`;return[{id:"snapshot",title:"Snapshot",head:p`<p>In <code>${g(t,1e3)}</code>, ${(0,X.E)(n)}, ${i?"encrypted":"in plaintext"}.${d}${a&&" Taken without a leader: the last writes may be missing."}</p>\n${[_(`${(0,M.U)(o.keys??0,"key")} by prefix`,["Prefix","Keys","Values"],[...l.map(({prefix:e,keys:t,bytes:n})=>[g(e,200),t,(0,X.E)(n)])]),_(`${(0,M.U)(o.services??0,"registered service")} by name`,["Service","Instances","Nodes"],[...s.map(({service:e,instances:t,nodes:n})=>[g(e,200),t,n??""])])]}`}]}(e),...function({topology:e}){let t,n;if(!e||0===e.servers.length&&0===e.nodes.length)return[];let i=function({servers:e,nodes:t,unscheduled:n=0}){let i=new Map,a=e=>{let t=i.get(e)??{name:e,servers:[],clients:0,ready:0};return i.set(e,t),t};for(let t of e)a(t.node).servers.push(t);for(let{node:e,clients:n,ready:i}of t)Object.assign(a(e),{clients:n,ready:i});return n>0&&(a(void 0).clients=n),[...i.values()]}(e),a=i.slice(0,24),r=i.slice(24),o={nodes:r.length+(e.rest?.nodes??0),clients:en(r,"clients")+(e.rest?.clients??0),ready:en(r,"ready")+(e.rest?.ready??0)},l=o.nodes>0&&p`<p class="rest">And ${(0,M.U)(o.nodes,"more node")} with ${(0,M.U)(o.clients,"client")}, ${o.ready} of them ready.</p>\n`;return[{id:"topology",title:"Topology",head:p`<p class="lead">${function({servers:e,nodes:t,rest:n,unscheduled:i=0}){let a=t=>e.filter(({raft:e})=>e===t),r=a("leader").map(({name:e})=>g(e,120)),o=a("leader").length+a("voter").length,l=t.reduce((e,t)=>e+t.clients,0)+(n?.clients??0)+i,s=r.length>0?`${r.join(" and ")} ${r.length>1?"lead":"leads"}`:"no leader was seen",d=[`${(0,M.U)(e.length,"server")}, ${o} of them ${1===o?"a voter":"voters"}`,s];return l>0&&d.push(`${(0,M.U)(l,"client")} on ${(0,M.U)(t.length+(n?.nodes??0),"node")}`),`${d.join("; ")}.`}(e)}</p>\n<ul class="nodes">\n`,rows:a.map(er),tail:p`</ul>\n${l}${(t=(e,t)=>p`<li><svg width="28" height="28" viewBox="-14 -14 28 28" aria-hidden="true">${e}</svg>${t}</li>`,n=(e,t)=>p`<g class="server ${e} ready"><circle class="body" r="11"/>${t}</g>`,p`<ul class="legend">${[t(n("leader",p`<path class="glyph" d="${eo}"/>`),"leader"),t(n("voter",p`<circle class="glyph" r="4"/>`),"voter"),t(n("non-voter",p`<circle class="hollow" r="4"/>`),"no voter"),t(p`<g class="server unready"><circle class="body" r="11"/></g>`,"server, not ready"),t(p`<rect class="client" x="-6" y="-6" width="12" height="12" rx="2"/>`,"client, ready"),t(p`<path class="client unready" d="M-5-5h10v10h-10zl10 10m0-10l-10 10"/>`,"client, not ready")]}</ul>\n`)}`,noun:"nodes are",rank:1}]}(e),...function(e){if(0===e.checks.length)return[];let t=(0,r.N4)(e.checks.map(({status:e})=>e),r.Ut);return[{id:"checks",title:`Checks: ${t}`,...y("What was proven, and what was seen.",[{title:"Check"},{title:"Status"},{title:"Expected",kind:"wide"},{title:"Observed",kind:"wide"},{title:"Time",kind:"figure"}],(0,r.td)(e.checks),({title:e,status:t,expected:n,observed:i,durationMs:a})=>[g(e),w(t),g(n),g(i,1e3),"skipped"===t?"":(0,o.a)(a)]),noun:"checks are"}]}(e),...0===e.warnings.length?[]:[{id:"warnings",title:`Warnings: ${e.warnings.length}`,head:p`<ul class="warnings">\n`,...m(e.warnings,e=>p`<li>${w("warning")} ${g(e,1e3)}</li>`),tail:p`</ul>\n`,noun:"warnings are",rank:1}],...function(e){let{phases:t,timings:n}=e;if(0===t.length)return[];let i=Math.max(e.durationMs,...t.map(e=>e.endMs),1),a=e=>`${Math.min(100,Math.max(0,e/i*100)).toFixed(2)}%`,r=[...t.flatMap(e=>(function({name:e,steps:t=[],...n},i){let{shown:a,rest:r}=(0,Q.F)(t,40);return[[p`${(0,Z.e)(e)}${"failed"===n.status&&w("failed")}`,...function(e,t){let{startMs:n,endMs:i}=e;return[Y(e,t,"phase"),(0,o.a)(n),(0,o.a)(i-n)]}(n,i)],...[...a,...r?[r]:[]].map(e=>{var t,n;let a;return t=e,n=i,a=(t.waits??[]).map(({what:e,ms:t})=>p`<li>${(0,o.a)(t)} for: ${g(e,300)}</li>`),[p`<span class="step">${g(t.name,120)}${"failed"===t.status&&w("failed")}</span>`,p`${Y(t,n,"inner")}${a.length>0&&p`<ul class="waits">${a}</ul>`}`,(0,o.a)(t.startMs),(0,o.a)(t.endMs-t.startMs)]})]})(e,a)),...Object.entries(n).sort(([,e],[,t])=>e-t).map(([e,t])=>{var n,i,r;let l;return n=e,i=t,r=a,l=g(n,40).replaceAll("-"," "),[p`<span class="reached">${l.charAt(0).toUpperCase()+l.slice(1)}</span>`,p`<svg class="bar mark" width="100%" height="12" aria-hidden="true"><svg x="${r(i)}" overflow="visible"><path d="M0 1l5 5-5 5-5-5z"/></svg></svg>`,(0,o.a)(i),""]})],l=[{title:"What"},{title:`0 s to ${(0,o.a)(i)}`,kind:"wide"},{title:"Began",kind:"figure"},{title:"Took",kind:"figure"}];return[{id:"timeline",title:`Timeline: ${(0,o.a)(e.durationMs)}`,...function({head:e,tail:t,...n}){return{head:p`<div class="timeline">${e}`,...n,tail:p`${t}</div>\n`}}(y("When each phase began, and how long it took. Some overlap.",l,r,e=>e)),noun:"phases and steps are",rank:1}]}(e),...s?[]:l,...function({history:e=[],startedAt:t}){let n,i,a=e.slice(-30),r=a.at(-1);if(!r)return[];let o=r.at===t?"this run":"this run is not among them";return[{id:"history",title:`History: ${1===a.length?"one run":`the last ${a.length} runs`}`,head:p`<p class="lead">From the record of this cluster, the newest at the right: ${"this run"===o?"that is this run.":`${o}.`} Filled: ${function({mode:e,changed:t}){return"verify"===e?t?"verifications that changed something":"verifications":t?"deploys that changed something":"deploys that changed nothing"}(r)}, which compare with the newest. Outlined: other runs.</p>\n<div class="charts">${I.map(e=>(function({id:e,title:t,of:n,told:i},a,r){var o;let l,s,d,c,h,u=a.findLast(e=>void 0!==n(e)),f=u&&n(u),m=a.filter(e=>J(e,r)).flatMap(e=>n(e)??[]),$=m.length>1?`median of ${m.length} alike: ${i((l=m.toSorted((e,t)=>e-t))[Math.floor((l.length-1)/2)]??0)}`:"",x=a.map(e=>{let t=n(e);if(void 0!==t)return{value:t,words:`${e.mode}, ${g(e.at,30)}: ${i(t)}`,alike:J(e,r)}}),v=void 0===f?"not measured yet":i(f),b=x.flatMap(e=>e?.value??[]),w=b.length>0?`, from ${i(Math.min(...b))} to ${i(Math.max(...b))}`:"";return p`<figure><figcaption><h3>${t}</h3><strong>${v}</strong> <span>${$}</span></figcaption>${o=`${(0,M.U)(b.length,"run")}${w}. The newest: ${v}.`,s=Math.max(...x.map(e=>e?.value??0)),d=Math.min(H/x.length,28),c=H-d*x.length,h=x.map((e,t)=>{if(!e)return;let{value:n,words:i,alike:a}=e,r=(c+t*d+.14*d).toFixed(1),o=(.72*d).toFixed(1),l=`${a?"alike":"other"}${t===x.length-1?" newest":""}`,h=0===s?2:Math.max(2,n/s*(q-6));return p`<rect class="${l}" x="${r}" y="${(q-h).toFixed(1)}" width="${o}" height="${h.toFixed(1)}" rx="1.5"><title>${i}</title></rect>`}),p`<svg class="chart" role="img" aria-labelledby="${e} ${e}-words" viewBox="0 0 ${H} ${L}"><title id="${e}">${t}</title><desc id="${e}-words">${o}</desc><path class="base" d="M0 ${q+.5}h${H}"/>${h}</svg>`}</figure>\n`})(e,a,r))}</div>\n${(n=a.toReversed().map(e=>[u(e.at),`${e.mode}${e.changed?", changed":""}`,...I.map(({of:t,told:n})=>{let i=t(e);return void 0===i?"–":n(i)})]),i=[{title:"Began"},{title:"Mode"},...I.map(({title:e})=>({title:e,kind:"figure"}))],p`<details><summary>All figures</summary>${k("The figures of each run, the newest first.",i,n)}</details>\n`)}`}]}(e),function(e){let{tls:t,gossip:n,serverAddresses:i,cluster:a}=e,r=e=>void 0!==e&&p`<code>${g(e,1e3)}</code>`,o=t?.until!==void 0&&p`; certificates until ${u(g(t.until,40))}`;return{id:"facts",title:"Facts",head:S([["The cluster is left as","render"!==e.mode&&g(e.left,1e3)],["Open the UI",r(e.uiCommand)],["Leader",r(e.leader)],["Image",r(e.image)],["Servers are at",void 0!==i&&`the addresses of their ${"service"===i?"Services":"pods"}`],["Gossip",void 0!==n&&(E[n]??g(n))],["RPC",void 0!==t&&p`${P[t.state]??g(t.state)}${o}`],["Kubernetes context",r(a?.context)],["Manifests",r(e.manifestsPath)],["Manifest digest",r(e.manifestDigest)],["Began",u(e.startedAt)]].filter(([,e])=>void 0!==e&&!1!==e))}}(e),...function(e){let{objects:t,mode:n}=e;if(0===t.length)return[];let i=t.map(({action:e})=>e),a="render"===n?(0,M.U)(t.length,"object"):(0,r.N4)(i,r.nz),{head:o,tail:l,...s}=y("Every object of this deployment.",[{title:"Object",kind:"code"},{title:"Namespace",kind:"code"},{title:"What became of it"}],r.nz.flatMap(e=>t.filter(t=>t.action===e)),R);return[{id:"objects",title:`Objects: ${a}`,head:p`<details><summary>All objects</summary>${o}`,...s,tail:p`${l}</details>\n`,noun:"objects are",rank:1}]}(e)],c=p`${es[e.result].word}: ${(0,r.WJ)(e).headline} · ${g(e.name,100)}`;return`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${ec}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${c}</title>
<style>${G}</style>
</head>
<body>
<a class="skip" href="#report">Skip to the report</a>
${n=Object.entries(x).map(([e,t])=>p`<symbol id="shape-${e}" viewBox="0 0 16 16">${t}</symbol>`),p`<svg class="shapes" width="0" height="0" aria-hidden="true">${n}</svg>\n`}${function(e){let{word:t,status:n}=es[e.result],i=(function(e){let{voters:t,clientsReady:n,clientsDesired:i,checks:a,plan:r=[],drift:l=[],objects:s}=e,d=[],p=a.filter(({status:e})=>"passed"===e).length,c=a.filter(({status:e})=>"skipped"!==e).length;c>0&&d.push([`${p} of ${c}`,"checks passed"]),void 0!==t&&d.push([String(t),ed(t,"voter")]),void 0!==n&&i&&d.push([`${n} of ${i}`,"clients ready"]);let h=r.filter(({consequence:e})=>"none"!==e).length;return e.plan&&"plan"===e.mode&&d.push([String(h),ed(h,"change")]),l.length>0&&d.push([String(l.length),ed(l.length,"difference")]),"render"===e.mode&&d.push([String(s.length),ed(s.length,"object")]),d.push([(0,o.a)(e.durationMs),"from start to end"]),d})(e).map(([e,t])=>p`<li><strong>${e}</strong> <span>${t}</span></li>`);return p`<header class="verdict ${n}">
<p class="brand"><span>consul-deploy</span> <span class="mode">${e.mode}</span> ${u(e.startedAt)}</p>
<p class="outcome">${b(n)}${t}</p>
<h1>${(0,r.WJ)(e).headline}</h1>
<p class="where">${function({name:e,namespace:t,cluster:n,consulVersion:i}){let a=[p`Cluster <b>${g(e)}</b> in namespace <b>${g(t)}</b>`];if(n){let e=void 0===n.version?"":` ${g(n.version)}`;a.push(p`Kubernetes${e} at <b>${g(n.server)}</b>`)}return void 0!==i&&a.push(p`Consul <b>${g(i)}</b>`),a.map((e,t)=>p`${t>0&&" \xb7 "}${e}`)}(e)}</p>
<ul class="tiles">${i}</ul>
</header>
`}(e)}${i=d.map(({id:e,title:t})=>{let[n=""]=t.split(":");return p`<li><a href="#${e}">${n}</a></li>`}),p`<nav aria-label="On this page"><ul>${i}</ul></nav>\n`}<main id="report">
${(0,f.U)(d.flatMap($),t,(e,t)=>`${p`<p class="rest">${e} more ${t} not shown here.</p>\n`}`)}</main>
<footer><p>Written by consul-deploy. The JSON report of the same run has everything that this page leaves out.</p></footer>
</body>
</html>
`}let ec=`default-src 'none'; style-src 'sha256-${(0,i.createHash)("sha256").update(G).digest("base64")}'; base-uri 'none'; form-action 'none'`}};