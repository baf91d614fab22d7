#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The published matrix, as Markdown on standard output: matrix.py REPORT.json VERSIONS MISSING

REPORT.json is dfuhil run's. VERSIONS: lines `tool<TAB>version`, for tools that do not say it themselves. MISSING: lines
`tool<TAB>reason`. Nothing in it depends on the day, the machine or the time that it took."""

import json
import re
import sys

CELL = {
    "passed": "ok",
    "failed": "**fails**",
    "error": "**error**",
    "expected-failure": "known",
    "unexpected-pass": "**passes**",
    "skipped": "-",
}
BAD = ("failed", "error", "unexpected-pass")


def pairs(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t", 1) for line in file if line.strip()]


def first_line(text):
    return (text or "").split("\n")[0].replace("|", "\\|")


def row(cells):
    return f"| {' | '.join(str(c) for c in cells)} |"


def is_scripted(result):
    """No tool is in it: what it shows is the board's."""
    with open(result["file"], encoding="utf-8") as file:
        return re.search(r"^tags:.*\bscripted\b", file.read(), re.M) is not None


def cell(result):
    text = CELL[result["verdict"]]
    return f"({text})" if is_scripted(result) else text


def totals(report, versions):
    yield row(["tool", "version", "passes", "fails, as is known", "not as expected", "not for it"])
    yield "|---|---|--:|--:|--:|--:|"
    for tool in report["tools"]:
        mine = [r for r in report["results"] if r["tool"] == tool and not is_scripted(r)]
        told = {r["tool-version"] for r in report["results"] if r["tool"] == tool and r.get("tool-version")}
        count = {verdict: sum(r["verdict"] == verdict for r in mine) for verdict in CELL}
        yield row(
            [tool, versions.get(tool, "".join(sorted(told)) or "?"), count["passed"], count["expected-failure"]]
            + [sum(count[v] for v in BAD), count["skipped"]]
        )


def cells(report):
    scenarios = {}
    for r in report["results"]:
        scenarios.setdefault(r["scenario"], {})[r["tool"]] = cell(r)
    yield row(["scenario"] + report["tools"])
    yield "|---" * (1 + len(report["tools"])) + "|"
    for scenario in sorted(scenarios):
        yield row([f"[{scenario}]({scenario}.yaml)"] + [scenarios[scenario].get(t, "-") for t in report["tools"]])


def reasons(report):
    for r in sorted(report["results"], key=lambda r: (report["tools"].index(r["tool"]), r["scenario"])):
        if r["verdict"] not in ("passed", "skipped"):
            yield f"- {r['scenario']}, {r['tool']}: {CELL[r['verdict']]}: {first_line(r['message'])}"


def skips(report):
    for tool in report["tools"]:
        why = {}
        for r in report["results"]:
            if r["tool"] == tool and r["verdict"] == "skipped":
                why.setdefault(first_line(r["message"]).removeprefix(f"{tool} "), []).append(r["scenario"])
        for reason in sorted(why):
            yield f"- {tool}: {reason}: {', '.join(sorted(why[reason]))}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    versions, missing = dict(pairs(sys.argv[2])), pairs(sys.argv[3])
    if report["interrupted"] or len(report["results"]) != report["planned"]:
        sys.exit("matrix.py: the run has not come to its end")
    print("# What the tools do\n")
    print("Each scenario with each tool, in virtual time; `make matrix` makes this page anew.")
    print("ok: it passes. known: it fails, as the scenario says of this tool. -: not for this tool. Reasons are below the table.")
    print("In parentheses, and not counted: a scripted host stands for the tool.\n")
    print("\n".join(totals(report, versions)), end="\n\n")
    for tool, reason in missing:
        print(f"Without {tool}: {reason}.\n")
    print("\n".join(cells(report)))
    print("\n## What fails\n")
    print("\n".join(reasons(report)) or "Nothing.")
    print("\n## What is not for a tool\n")
    print("\n".join(skips(report)) or "Nothing.")


main()
