#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil history: what was injected into five nights is found and named, and harms nobody who looks at it.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/history_nights.sh"

flake_is_found()
{
  five_nights
  history flakes
  says said ' 20 %  smoke/upload, dfu-util on desk: in 1 of 5 runs, at last in run 3 (2026-03-03 02:00 UTC, dfu-util 0.11)'
  says said 'there 1 of 2 attempts failed'
  says said 'flash at 0x08000400 is 0xff instead of 0x3a'
  says_not said smoke/download
  history flakes --json
  sees "[(s['scenario'], s['rate'], s['last']['run'], s['last']['blame']) for s in d['scenarios']] == [('smoke/upload', 0.2, 3, 'board')]"
}

regression_is_found()
{
  five_nights
  history first-bad
  says said 'smoke/download, dfu-util on desk: fails since run 4 (2026-03-04 02:00 UTC, dfu-util 0.12)'
  says said 'passed last in run 3 (2026-03-03 02:00 UTC, dfu-util 0.11); changed: dfu-util 0.11 -> 0.12; blame: tool; it passes on the emulated board'
  says_not said smoke/upload
  history first-bad --json
  sees "[(s['scenario'], s['first-bad']['run'], s['last-good']['run'], s['changed']) for s in d['scenarios']] == [('smoke/download', 4, 3, 'dfu-util 0.11 -> 0.12')]"
  # Not known yet at the time.
  history first-bad --until 2026-03-04
  says said 'nothing fails now'
}

# A night that failed between two that passed, all with the same version, is a flake too; with another version it is not.
came_and_went()
{
  {
    good smoke/list smoke/upload | night 1 0.11
    {
      line add smoke/list failed 1 tool skipped 1000 'once'
      line add smoke/upload failed 1 tool skipped 1000 'a bad version'
    } | night 2 0.11
    good smoke/list | night 3 0.11
    good smoke/upload | night 4 0.12
  } | "$writer" h.sqlite >acks
  history flakes
  says said 'smoke/list, dfu-util on desk: in 1 of 3 runs, at last in run 2'
  says said 'there it failed, and passed in the runs before and after'
  says_not said smoke/upload
}

runs_and_filters()
{
  five_nights
  printf '%s\n' "$(line begin shed pydfu 1.0 2026-03-05T03:00)" "$(good smoke/list)" | "$writer" h.sqlite >>acks
  history
  [ "$(grep -c '' said)" -eq 7 ]
  says said '  3  2026-03-03 02:00 UTC  desk  dfu-util 0.11       2       0      1        0  board           0'
  says said '  6  2026-03-05 03:00 UTC  shed  pydfu 1.0           1       0      0        0         unfinished'
  history runs --rig shed --json
  sees "[(r['run'], r['ended'], r['scenarios']['passed']) for r in d['runs']] == [(6, None, 1)]"
  history --tool dfu-util --since 2026-03-02 --until 2026-03-04T02:00 --json
  sees "[r['run'] for r in d['runs']] == [2, 3]"
  history --since 36h --json
  sees "[r['run'] for r in d['runs']] == [5, 6]"
  history --last 1 --json
  sees "[r['run'] for r in d['runs']] == [5, 6]"
  history trends --scenario 'smoke/*load'
  says said 'desk, dfu-util: 5 of 5 runs, 2026-03-01 to 2026-03-05 (UTC)'
  says said 'smoke/download  ...FF    60 %  144 ms  fails since run 4'
  says said 'smoke/upload    ..~..    80 %  151 ms  flaky in 1 of 5'
  says_not said smoke/list
  history show 3
  says said 'run 3 on desk, dfu-util 0.11'
  says said 'started  2026-03-03 02:00 UTC, on bench, board 326237753036'
  says said 'failed           smoke/upload, 160 ms, blame: board'
  says said 'the emulated board: passed'
  history show last --rig desk --json
  sees "d['run'] == 5 and [j['attempt'] for j in d['jobs'] if j['verdict'] == 'failed'] == [1, 2]"
}

erases_and_wear()
{
  five_nights
  history erases
  says said '0x08000000   255 ms  2026-03-05  255 ms  ▇▇▇▇█'
  says_not said 0x08004000
  history wear
  says said '0x08000000     150       1 %  ▎                     30.0  328 days left'
  says said '0x08004000    8999      89 %  █████████████████▉  8999.0  many'
  history wear --wear-stop 8999 --json
  sees "[(s['address'], s['erases'], s['state']) for s in d['sectors']] == [(0x08000000, 150, 'good'), (0x08004000, 8999, 'stop')]"
  history erases --json
  sees "[(e['day'], e['slowest-us']) for e in d['sectors'][0]['by-day']][::4] == [('2026-03-01', 251000), ('2026-03-05', 255000)]"
  history erases --serial other
  says said 'no erase was timed'
}

page_has_all()
{
  five_nights
  history --html page.html
  python3 - <<'END'
import html.parser, re
text = open('page.html').read()
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []
    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ('meta', 'br'):
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
page = Page()
page.feed(text)
assert not page.open, page.open
assert page.seen.count('svg') >= 8 and 'script' not in page.seen, page.seen
assert not re.search(r'(src|href|url)\s*[=(]', text), 'the page fetches something'
for words in ('first bad is run 4 (2026-03-04 02:00 UTC, dfu-util 0.12); last good is run 3', 'changed: dfu-util 0.11 -&gt; 0.12',
              'in 1 of 5 runs, at last in run 3', '<title>0x08000000: 255 ms on 2026-03-05</title>', 'written 2026-03-06 12:00 UTC'):
    assert words in text, words
END
}

# --- what others wrote is no markup and moves no cursor ---

hostile()
{
  local name=$'</title><script>alert(1)</script>\033[2J\x07\x9b31m\xc2\x9b31m&"\x27'

  {
    line begin "$name" "$name" "$name" 2026-03-01
    line add "$name" failed 1 tool passed 1000 "$name"
    line add "$name" passed 2 '' passed 1000 ''
    line end 1 "$name" 2026-03-01
    line begin "$name" "$name" "$name" 2026-03-02
    line add "$name" failed 1 tool passed 1000 "$name"
    line end 1 "$name" 2026-03-02
    line wear "$name" 0 1 1000
  } | "$writer" h.sqlite >acks
  for what in runs 'show 1' trends flakes first-bad erases wear; do
    # shellcheck disable=SC2086 # words
    history $what --color never
    if LC_ALL=C grep -q -a -e $'[\001-\010\013-\037\177]' -e $'\xc2[\x80-\x9f]' said; then
      echo "=> a control character in $what"
      return 1
    fi
    iconv -f UTF-8 -t UTF-8 said >/dev/null
    # shellcheck disable=SC2086 # words
    history $what --json
    sees 'd["format"] == 1'
  done
  history --html page.html
  says_not page.html '<script'
  says_not page.html 'alert(1)</'
  says_not page.html $'\033'
  says page.html '&lt;/title&gt;&lt;script&gt;'
  iconv -f UTF-8 -t UTF-8 page.html >/dev/null
}

colours_on_a_terminal_only()
{
  five_nights
  history trends
  says_not said $'\033'
  history trends --color always
  says said $'\033[32m...\033[0m\033[1;31mFF\033[0m'
}

# --- the command line ---

# wrong TEXT ARGUMENT...
wrong()
{
  local text=$1

  shift
  ends 2 "$dfuhil" history "$@"
  says said "dfuhil: $text"
  [ "$(grep -c '' said)" -eq 1 ]
}

mistakes()
{
  wrong "there is no history '/nowhere/dfubench/history.sqlite': 'dfuhil nightly' makes it, --history names another"
  five_nights
  wrong "unknown 'trend', did you mean 'trends'?" trend
  wrong "unknown 'x': must be runs, show, trends" x
  wrong "unknown option '--scenarois=x', did you mean '--scenario'?" --scenarois=x
  wrong "--since 'yesterday': must be a date as 2026-03-01" --since yesterday
  wrong '--since and --until: nothing lies between' --since 1d --until 2d
  wrong "--last '0': must be a number from 1 to" --last 0
  wrong "--color 'blue': must be auto, always or never" --color blue
  wrong '--html: a value is missing' --html
  wrong "'--json=x': takes no value" --json=x
  wrong '--json and --html: one at a time' --json --html x
  wrong 'show: the number of a run is missing' show
  wrong "show '1x': must be the number of a run" show 1x
  wrong "'flakes': one thing at a time is shown" trends flakes
  wrong "run 99 is not in the history 'h.sqlite'" --history h.sqlite show 99
  wrong "cannot write '/nowhere/page.html': No such file" --history h.sqlite --html /nowhere/page.html
  "$dfuhil" history --history h.sqlite 2>said >/dev/full && return 1
  says said "cannot write 'standard output': No space left on device"
  says <("$dfuhil" history --help) 'usage: dfuhil history'
}

later 'an injected flake is found and named' flake_is_found
later 'an injected regression is found: first bad run, last good run, and what changed' regression_is_found
later 'one bad night between good ones is a flake, unless the tool has changed' came_and_went
later 'runs are listed, chosen and shown' runs_and_filters
later 'the slowest erases are plotted, wear is held against its limits' erases_and_wear
later 'the page has all of it, with pictures and without scripts' page_has_all
later 'what others have named cannot harm a terminal, a page or a program' hostile
later 'colours are for terminals' colours_on_a_terminal_only
later 'mistakes on the command line of dfuhil history are told' mistakes
finish
