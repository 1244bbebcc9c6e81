#!/usr/bin/env python3
"""Checks every #include "..." of our own against tools/layers.txt. Exit 1 and one line per offence."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
rules = {}
for line in (root / "tools/layers.txt").read_text().splitlines():
    line = line.split("#")[0].strip()
    if line:
        folder, _, allowed = line.partition(":")
        rules[folder.strip()] = set(allowed.split()) | {"base"}


def folder_of(path):
    """The longest folder of the table that holds this path; None for a path of no layer (tests, system headers)."""
    best = None
    for folder in rules:
        if path.startswith(folder + "/") and (best is None or len(folder) > len(best)):
            best = folder
    return best


def allowed(source, target):
    if source == target:
        return True
    # A folder with a row of its own must be named; a name without a row stands for all rows below it.
    return any(name == target or (name not in rules and target.startswith(name + "/")) for name in rules[source])


files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.cc", "*.h"], cwd=root, check=True,
                       capture_output=True, text=True).stdout.split()
offences = []
for name in files:
    source = folder_of(name)
    if source is None or not (root / name).exists():
        continue
    for number, line in enumerate((root / name).read_text().splitlines(), 1):
        match = re.match(r'\s*#include "([^"]+)"', line)
        if not match:
            continue
        included = match.group(1)
        if not (root / included).exists() and not included.startswith("raakvlak/v1/"):
            continue  # a library's header
        if included.startswith("raakvlak/v1/"):
            if source.startswith(("base", "crypto", "linkage")):
                offences.append(f"{name}:{number}: {source} may not include protobuf")
            continue
        target = folder_of(included)
        if target is None:
            offences.append(f"{name}:{number}: {included} belongs to no layer")
        elif not allowed(source, target):
            offences.append(f"{name}:{number}: {source} may not include {target}")
for offence in offences:
    print(offence, file=sys.stderr)
sys.exit(1 if offences else 0)
