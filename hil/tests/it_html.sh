#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The report to look at: it carries the run, nothing in it is markup by accident, and its script runs. What it looks like, a browser
# shows: here a document of our own takes the elements.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil

scenario()
{
  cat >s.yaml <<'END'
name: "a name with </script><b onclick='x'> in it"
why: "<img src=x>"
reference: none
files: {image: {size: 3000, seed: 1}}
steps:
  - bootloader
  - download: {file: image, address: 0x08000000}
END
}

page()
{
  mkdir -p out/pages 'out/caught here'
  "$dfuhil" run s.yaml --tool dfu-util --html out/pages/r.html --json r.json --capture-dir 'out/caught here' >log
}

carries_the_run()
{
  scenario
  page
  python3 - <<'END'
import json, re
page = open('out/pages/r.html').read()
data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1)
mine, plain = json.loads(data), json.load(open('r.json'))
assert '<' not in data, 'markup in the data'
for a, b in zip(mine['results'], plain['results']):
    assert a.pop('capture') == '../caught%20here/' + b.pop('capture').rsplit('/', 1)[1]
    assert a == b, 'the page has another run than the JSON report'
assert len(mine['results']) == 1 and mine['results'][0]['exchanges'], 'nothing in it'
assert not re.search(r'(src|href)="?(https?:)?//', page), 'the page fetches something'
END
}

script_runs()
{
  need node
  scenario
  page
  cat >run.js <<'END'
const fs = require('fs');
const page = fs.readFileSync('out/pages/r.html', 'utf8');
let texts = [];
class Element {
  constructor(name) { this.name = name; this.children = []; this.listeners = {}; }
  append(...c) { this.children.push(...c); for (const x of c) if (typeof x === 'string') texts.push(x); }
  replaceChildren(...c) { this.children = []; this.append(...c); }
  setAttribute(k, v) { if (k === 'id') byId[v] = this; if (k === 'href' && /^javascript/i.test(v)) throw new Error('a script as a link'); }
  addEventListener(n, f) { this.listeners[n] = f; }
  scrollIntoView() {}
  set textContent(t) { this.text = t; texts.push(t); }
  get textContent() { return this.text; }
  set innerHTML(t) { throw new Error('markup is made of text'); }
}
const byId = {};
for (const [, id] of page.matchAll(/ id="([^"]+)"/g)) byId[id] = new Element(id);
byId.data.text = page.match(/id="data">(.*?)<\/script>/s)[1];
globalThis.document = { getElementById: (id) => byId[id], createElement: (n) => new Element(n), createElementNS: (_, n) => new Element(n) };
globalThis.location = { hash: '#run-0' };
eval(page.match(/<script>\n(.*?)<\/script>/s)[1]);
const box = byId['run-0'];
box.open = true;
box.listeners.toggle();
const open = (e) => { if (e.listeners?.toggle) { e.open = true; e.listeners.toggle(); } e.children?.forEach(open); };
open(box);
for (const want of ["a name with </script><b onclick='x'> in it", '<img src=x>', 'passed', 'bootloader'])
  if (!texts.some((t) => t.includes(want))) throw new Error(`'${want}' is not shown`);
if (!texts.some((t) => /DFU_DNLOAD block 2/.test(t))) throw new Error('no requests are shown');
END
  node run.js
}

check 'the HTML report carries the run, and captures by way of links' carries_the_run
check 'the script of the HTML report runs, and shows texts as texts' script_runs
finish
