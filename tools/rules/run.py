#!/usr/bin/python3
"""Runs the rules of the house: every executable beside this file whose name begins with `rule_`.

A rule is a program that is given the build folder as its argument, prints what it finds, and ends with 0 (kept),
1 (broken) or 77 (cannot be checked here; its last line says why). Rules are fast: all together a few seconds.
"""

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def run_rule(rule, build):
    begun = time.monotonic()
    done = subprocess.run([str(rule), str(build)], cwd=ROOT, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return rule.stem.removeprefix("rule_"), done.returncode, done.stdout.strip(), time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build/dev"), help="the build folder to look at")
    parser.add_argument("--junit", help="write a JUnit file here")
    arguments = parser.parse_args()

    rules = sorted(path for path in HERE.glob("rule_*") if os.access(path, os.X_OK))
    suite = ElementTree.Element("testsuite", name="rules")
    broken = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, code, output, seconds in pool.map(lambda rule: run_rule(rule, arguments.build), rules):
            case = ElementTree.SubElement(suite, "testcase", classname="rules", name=name, time=f"{seconds:.2f}")
            if code == 77:
                ElementTree.SubElement(case, "skipped", message=output.splitlines()[-1] if output else "no reason given")
            elif code != 0:
                broken += 1
                ElementTree.SubElement(case, "failure", message=output)
            state = {0: "kept", 77: "skipped"}.get(code, "BROKEN")
            print(f"{state:8} {name} ({seconds:.1f} s)")
            if output:
                print("         " + output.replace("\n", "\n         "))
    if arguments.junit:
        ElementTree.ElementTree(suite).write(arguments.junit)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
