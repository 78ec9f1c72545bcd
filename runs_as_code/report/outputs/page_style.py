"""The style of the HTML page: light and dark, wide and narrow, on a screen and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --line: #d9dee4; --text: #1d2329; --faint: #5c6771;
  --code: #eff1f4; --accent: #2563c9; --shadow: 0 1px 2px rgb(20 30 40 / 8%);
  --create: #1a7f43; --replace: #9a6700; --close: #c62333; --decide: #8a3ffc; --adopt: #0b7285;
  --old: #fdeceb; --new: #e6f6ea; --alarm: #fdf0ef; --old-word: #f9c9c6; --new-word: #b4e6c1;
  --passed: #2f9e56; --failed: #d5404c; --blocked: #e2930f; --skipped: #7f8ea3;
  --other: #5b7fd0; --open: #dfe4ea;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #13171c; --card: #1b2027; --line: #323a44; --text: #e4e8ec; --faint: #9aa6b2;
    --code: #262d36; --accent: #7fb0ff; --shadow: none;
    --create: #4cc377; --replace: #e0ac3d; --close: #ff7b83; --decide: #be95ff; --adopt: #4fc4d6;
    --old: #3d2226; --new: #1b3526; --alarm: #32201f; --old-word: #74323a; --new-word: #27633f;
    --passed: #3aa864; --failed: #e05560; --blocked: #d9952a; --skipped: #77869b;
    --other: #6c8fdd; --open: #39424e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 0; }
h3 { font-size: 1rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; }
p { margin: .25rem 0; }
code { font: .875em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
p code, li code, td code, dd code, h3 code {
  background: var(--code); padding: .08em .35em; border-radius: 4px; overflow-wrap: anywhere;
}
.faint { color: var(--faint); }
.small { font-size: .86rem; }
.closes { color: var(--close); font-weight: 600; margin-top: .6rem; }
.command {
  display: block; background: var(--code); border: 1px solid var(--line); border-radius: 6px;
  padding: .6rem .8rem; margin: .35rem 0 0; overflow-wrap: anywhere; white-space: pre-wrap;
}
.counts, .filters { display: flex; flex-wrap: wrap; gap: .45rem; padding: 0; margin: 1rem 0 0; }
.counts { list-style: none; }
.chip {
  display: inline-flex; gap: .4rem; align-items: baseline; font: inherit; font-size: .88rem;
  background: var(--card); color: var(--text); border: 1px solid var(--line);
  border-radius: 99px; padding: .2rem .75rem; box-shadow: var(--shadow);
}
.chip b { color: var(--tone, var(--text)); font-variant-numeric: tabular-nums; }
button.chip { cursor: pointer; }
button.chip:hover { border-color: var(--tone, var(--accent)); }
button.chip[aria-pressed="true"] {
  border-color: var(--tone, var(--accent)); box-shadow: inset 0 0 0 1px var(--tone, var(--accent));
}
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.filters input, .filters select {
  font: inherit; font-size: .88rem; padding: .3rem .6rem; border: 1px solid var(--line);
  border-radius: 6px; background: var(--card); color: var(--text); max-width: 100%;
}
.filters output { align-self: center; color: var(--faint); font-size: .86rem; }
.project { margin: 2rem 0 0; }
.project > .head { border-bottom: 1px solid var(--line); padding-bottom: .7rem; }
.card {
  background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--tone);
  border-radius: 8px; box-shadow: var(--shadow); padding: .8rem 1rem; margin: .8rem 0 0;
  overflow: hidden; break-inside: avoid;
}
.top { display: flex; gap: .2rem .7rem; align-items: baseline; flex-wrap: wrap; }
.top h3 { flex: 1 1 20rem; min-width: 0; }
.badge {
  color: var(--tone); border: 1px solid var(--tone); border-radius: 5px; font-size: .8rem;
  font-weight: 600; padding: 0 .45rem; white-space: nowrap;
}
.place { color: var(--faint); font-size: .82rem; overflow-wrap: anywhere; }
.kind-create, .kind-clone { --tone: var(--create); }
.kind-replace, .kind-drifted, .has-drift { --tone: var(--replace); }
.kind-close, .kind-blocked { --tone: var(--close); }
.kind-decide, .kind-orphans { --tone: var(--decide); }
.kind-adopted { --tone: var(--adopt); }
.kind-stay_closed, .kind-unmanaged, .kind-unchanged { --tone: var(--faint); }
.kind-unchanged.has-drift { --tone: var(--replace); }
.alarm {
  background: var(--alarm); border: 1px solid var(--close); border-radius: 6px;
  padding: .5rem .75rem; margin: .6rem 0 0;
}
.alarm dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .7rem; margin: 0; }
.alarm dt { color: var(--faint); font-size: .86rem; }
.alarm dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 0; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; overflow-wrap: anywhere; }
thead th { color: var(--faint); font-weight: 500; font-size: .8rem; padding-bottom: .1rem; }
tbody th { font-weight: 500; width: 8.5rem; }
tbody tr { border-top: 1px solid var(--line); }
.values td { width: 42%; }
ins, del { text-decoration: none; border-radius: 4px; padding: .08em .35em; }
ins { background: var(--new); }
del { background: var(--old); }
mark { background: none; color: inherit; border-radius: 3px; }
del mark { background: var(--old-word); }
ins mark { background: var(--new-word); }
.overview { margin-top: 1.5rem; }
.overview td:nth-child(2), .overview td:nth-child(3) { width: 5rem; }
.overview td:last-child { width: 45%; }
.overview th { width: auto; }
.overview .work { margin: .3rem 0 0; }
a { color: var(--accent); }
.filters button {
  font: inherit; font-size: .88rem; padding: .3rem .6rem; border: 1px solid var(--line);
  border-radius: 6px; background: var(--card); color: var(--accent); cursor: pointer;
}
.actions { list-style: none; margin: .6rem 0 0; padding: 0; }
.actions li { padding-left: 1.3rem; position: relative; overflow-wrap: anywhere; }
.actions li::before { content: "+"; position: absolute; left: .2rem; color: var(--create); }
.actions .close::before { content: "\\D7"; color: var(--close); }
.actions .would { color: var(--faint); }
.work { display: grid; gap: .25rem; margin: .65rem 0 0; }
.bar { display: block; width: 100%; height: .6rem; border-radius: 99px; background: var(--open); }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; font-size: .84rem; color: var(--faint); }
.legend span::before {
  content: ""; display: inline-block; width: .65em; height: .65em; border-radius: 3px;
  margin-right: .35em; background: var(--tone);
}
.legend .open::before { box-shadow: inset 0 0 0 1px var(--faint); }
.legend b { margin-left: auto; font-weight: 500; }
.passed { --tone: var(--passed); fill: var(--passed); }
.failed { --tone: var(--failed); fill: var(--failed); }
.blocked { --tone: var(--blocked); fill: var(--blocked); }
.skipped { --tone: var(--skipped); fill: var(--skipped); }
.other { --tone: var(--other); fill: var(--other); }
.open { --tone: var(--open); fill: var(--open); }
.recorded { --tone: var(--accent); fill: var(--accent); }
details { margin: .9rem 0 0; }
summary { cursor: pointer; color: var(--faint); }
footer { padding-top: 2rem; padding-bottom: 2.5rem; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
@media (max-width: 40rem) {
  main, header, footer { padding-left: .8rem; padding-right: .8rem; }
  h1 { font-size: 1.3rem; }
  .values thead th + th, .overview thead { display: none; }
  .overview tr { display: flex; flex-wrap: wrap; padding: .4rem 0; }
  .overview th, .overview td, .overview td:last-child { width: auto; padding: 0 1rem 0 0; }
  .overview th, .overview td:last-child { flex: 1 0 100%; }
  .overview td[data-name]::before { content: attr(data-name) " "; color: var(--faint); }
  .values tr, .values th, .values td { display: block; width: auto; }
  .values td { padding-top: .1rem; }
  .values td::before { content: attr(data-name); display: block; color: var(--faint);
    font-size: .78rem; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --card: #fff; --line: #bbb; --text: #000; --faint: #444; --code: #f3f3f3;
    --shadow: none;
  }
  .filters { display: none; }
  details::details-content { content-visibility: visible; }
  html { font-size: 11px; }
  body { font-size: 1rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
