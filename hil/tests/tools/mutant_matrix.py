#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who has caught a mutant: mutant_matrix.py NAME EXPECTED ORIGINAL.json MUTANT.json MATRIX.md

What the original passes and the mutant does not, and findings (warnings and errors) that the original does not have in that
scenario. Exit status 1 if there is neither. A row for the matrix is added to the file."""

import json
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        results = json.load(file)["results"]
    failed, found = {}, {}
    for r in results:
        if r["verdict"] in ("failed", "unexpected-pass"):
            failed[r["scenario"]] = r["message"]
        for f in r["findings"]:
            if f["severity"] != "note":
                found.setdefault(f["rule"], set()).add(r["scenario"])
    return {r["scenario"]: r for r in results}, failed, found


def rows_of(path):
    """Numbers of scenarios/README.md that a scenario is about."""
    with open(path, encoding="utf-8") as file:
        found = re.search(r"^field-bug:([^#\n]*)", file.read(), re.M)
    return re.findall(r"\d+", found.group(1)) if found else []


def is_expected(word, scenarios, rules, rows):
    return word in rules or word in rows or any(s == word or (word.endswith("/") and s.startswith(word)) for s in scenarios)


def main():
    name, expected, original, mutant, matrix = sys.argv[1:]
    _, failed_before, found_before = read(original)
    results, failed, found = read(mutant)
    scenarios = sorted(set(failed) - set(failed_before))
    rules = sorted(rule for rule in found if found[rule] - found_before.get(rule, set()))
    rows = {row for scenario in scenarios for row in rows_of(results[scenario]["file"])}
    words = expected.replace("row ", "row:").split()
    as_expected = [w for w in words if is_expected(w.replace("row:", ""), scenarios, rules, rows)]
    shown = scenarios[:4] + ([f"and {len(scenarios) - 4} more"] if len(scenarios) > 4 else [])
    with open(matrix, "a", encoding="utf-8") as file:
        file.write(f"| {name} | {len(scenarios)} | {', '.join(shown)} | {', '.join(rules)} |\n")
    print(f"{len(scenarios)} scenarios ({', '.join(shown)}), {len(rules)} rules ({', '.join(rules)})")
    if (scenarios or rules) and not as_expected:
        print(f"not by what was expected: {expected}")
    return 0 if scenarios or rules else 1


sys.exit(main())
