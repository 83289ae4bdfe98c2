"""How the page looks on a phone, a desk and paper, by day and by night, and the little script that plays it."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1c1b1a; --soft: #5d5a55; --line: #dedad3; --grid: #ebe8e2;
  --before: #85807a; --after: #0a6c74; --target: #a84300; --wanted: #cfe6d2; --reduced: #d98a6a;
  --pass: #1c6b33; --fail: #a81e1e; --ai: #6b3fa0; --you: #0a6c74; --rules: #5d5a55;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141517; --card: #1c1e21; --ink: #e9e7e3; --soft: #a9a59e; --line: #34373b; --grid: #292c30;
    --before: #8d8983; --after: #4fc3cb; --target: #f0a05a; --wanted: #23402b; --reduced: #b2603f;
    --pass: #7fd192; --fail: #ff9a8f; --ai: #c7a6f5; --you: #4fc3cb; --rules: #a9a59e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
p { margin: 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem;
  margin-top: 1rem; }
.kind { color: var(--soft); font-size: .85rem; letter-spacing: .04em; }
.made { color: var(--soft); overflow-wrap: anywhere; }
.remark { color: var(--soft); font-size: .85rem; }
.verdict { margin-top: .8rem; font-weight: 600; }
.pass { color: var(--pass); }
.fail { color: var(--fail); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem; margin: 1rem 0 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tiles small { display: block; color: var(--soft); font-size: .8rem; }
.listen p + p { margin-top: .6rem; }
.listen label { display: block; overflow-wrap: anywhere; }
audio { display: block; width: 100%; margin-top: .2rem; }
figure { margin: 0; }
figcaption { margin-top: .4rem; }
.of { font-size: .85rem; color: var(--soft); overflow-wrap: anywhere; }
.of:not(:first-child) { margin-top: .8rem; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: 0; padding: 0; font-size: .85rem; }
.swatch { display: inline-block; width: 1.4rem; height: .7rem; margin-right: .4rem; vertical-align: middle; }
.swatch.line, .swatch.thin { height: 0; border-top: 2px solid; }
.swatch.thin { border-top-width: 1px; }
.swatch.before { color: var(--before); }
.swatch.target { color: var(--target); border-top-style: dashed; }
.swatch.after { color: var(--after); }
.swatch.wanted { background: var(--wanted); }
.swatch.reduced { background: var(--reduced); }
.plot { display: block; width: 100%; overflow: hidden; }
.plot path { fill: none; stroke: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.plot .grid { stroke: var(--grid); stroke-width: 1; }
.plot .before.line { stroke: var(--before); stroke-width: 1.5; }
.plot .after.line { stroke: var(--after); stroke-width: 1.75; }
.plot .after.thin { stroke: var(--after); stroke-width: 1; opacity: .4; }
.plot .before.solid { fill: var(--before); }
.plot .after.solid { fill: var(--after); }
.plot .before.faint { fill: var(--before); opacity: .45; stroke: var(--before); stroke-width: .5; }
.plot .after.faint { fill: var(--after); opacity: .45; stroke: var(--after); stroke-width: .5; }
.plot .wanted { fill: var(--wanted); }
.plot .reduced { fill: var(--reduced); }
.plot path.target { stroke: var(--target); stroke-width: 1.5; stroke-dasharray: 6 4; }
.plot text { font-size: 11px; fill: var(--soft); stroke: var(--card); stroke-width: 3px; paint-order: stroke;
  font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
caption { text-align: left; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line);
  overflow-wrap: break-word; }
tbody th { overflow-wrap: anywhere; }
thead th { border-top: 0; color: var(--soft); font-weight: 500; font-size: .85rem; }
tbody th { font-weight: 500; }
th small { color: var(--soft); font-size: .8rem; font-weight: 400; }
.meters td, .meters th + th { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.desk .fader, .desk .pan { white-space: nowrap; font-variant-numeric: tabular-nums; }
.decisions tbody th { min-width: 8.5rem; }
.decisions .why { min-width: 40%; }
.checks { list-style: none; margin: 0; padding: 0; }
.checks li + li { margin-top: .35rem; }
.who { display: inline-block; border: 1px solid; border-radius: .3rem; padding: 0 .35rem; font-size: .78rem;
  white-space: nowrap; }
.who.model { color: var(--ai); font-weight: 700; }
.who.person { color: var(--you); }
.who.rules, .who.default { color: var(--rules); }
.sure { white-space: nowrap; }
.values { list-style: none; margin: 0; padding: 0; font-variant-numeric: tabular-nums; }
.values li { display: inline-block; margin-right: .8rem; }
.values small { color: var(--soft); font-size: .8rem; }
details { border-top: 1px solid var(--line); }
details:first-of-type { border-top: 0; }
summary { padding: .55rem 0; cursor: pointer; overflow-wrap: anywhere; }
summary b { font-weight: 600; }
summary small { color: var(--soft); font-size: .85rem; }
.notes { margin: 0; padding-left: 1.2rem; }
footer { color: var(--soft); font-size: .85rem; margin-top: 1.5rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .decisions thead { position: absolute; clip-path: inset(50%); }
  .decisions tr { display: block; border-top: 1px solid var(--line); padding: .45rem 0; }
  .decisions th, .decisions td { display: block; border: 0; padding: .05rem 0; }
  .decisions tbody th { font-weight: 600; }
  .desk small { display: block; }
  .decisions .by, .decisions .sure { display: inline-block; margin-right: .6rem; }
  .meters th, .meters td { padding-right: .4rem; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --grid: #ddd; --before: #777;
    --after: #0a6c74; --target: #a84300; --wanted: #d8ecdb; --reduced: #d98a6a; --pass: #1c6b33; --fail: #a81e1e;
    --ai: #6b3fa0; --you: #0a6c74; --rules: #444; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .listen { display: none; }
  section { border: 0; padding: 0; margin-top: 1.2rem; }
  figure, tr, .tiles { break-inside: avoid; }
  h2, summary { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

SCRIPT: Final = """
const players = [...document.querySelectorAll("audio")];
for (const player of players) {
  player.volume = Number(player.dataset.gain);
  player.addEventListener("play", () => {
    for (const other of players) {
      if (other !== player && !other.paused) {
        other.pause();
        player.currentTime = other.currentTime;
      }
    }
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => (each.open = true)));
"""
"""Both players at one loudness, one carrying on where the other was; everything unfolded on paper."""
