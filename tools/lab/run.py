#!/usr/bin/python3
"""./lab: build Turnpike and run its examples, each with a few words on what it shows and what to look at.

  ./lab            build, then run every example
  ./lab NAME…      build, then run these
  ./lab --list     what there is
  ./lab --live     build, then three routers and two hosts in namespaces: a link cut and healed, then a shell among them
  ./lab --script   the same without the shell, every step checked

What is run, and what is said about it, stands in examples/lab.toml. The build is build/lab: optimised, but without
link-time optimisation, which would double the wait. Ends with 0 if every example did what it promises, 1 if one did
not or the build failed, 2 if there is no example of that name.
"""

import argparse
import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import network

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/lab"
PATIENCE = 60  # seconds that an example may take


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def paragraph(text):
    return textwrap.fill(" ".join(text.split()), 100)


def build():
    """Builds what changed, with its progress shown; ninja runs cmake again by itself where that is needed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    log = BUILD / "configure.log"
    if not (BUILD / "build.ninja").exists():
        print("configuring build/lab …", flush=True)
        with open(log, "w", encoding="utf-8") as out:
            done = subprocess.run(["cmake", "--preset", "lab"], cwd=ROOT, check=False, stdout=out, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print(log.read_text(encoding="utf-8")[-4000:])
            return False
    return subprocess.run(["cmake", "--build", str(BUILD)], cwd=ROOT, check=False).returncode == 0


def run(example):
    """Runs one example, its output shown as it comes; None if it kept its promise, else what went wrong."""
    command = [str(BUILD / "examples" / example["program"]), *example.get("arguments", [])]
    said = []
    try:
        # One pipe for both outputs, so that they are shown in the order in which they were written.
        with subprocess.Popen(["timeout", "--kill-after=5", str(PATIENCE), *command], cwd=ROOT, text=True, errors="replace",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            for line in process.stdout:
                print("  | " + line.rstrip("\n"), flush=True)
                said.append(line)
    except KeyboardInterrupt:
        return "interrupted"
    if process.returncode == 124:
        return f"was not done after {PATIENCE} s"
    if process.returncode < 0:
        return f"was ended by signal {-process.returncode}"
    if process.returncode != 0:
        return f"ended with {process.returncode}"
    missing = [text for text in example.get("expect", []) if text not in "".join(said)]
    return f"did not say: {missing[0]!r}" if missing else None


def show(example):
    """Explains, runs and explains; says whether all was well."""
    print(f"\n{bold('== ' + example['name'])}   {' '.join([example['program'], *example.get('arguments', [])])}\n")
    print(paragraph(example["shows"]) + "\n", flush=True)
    wrong = run(example)
    print("\n" + paragraph("Look at: " + example["look"]))
    if wrong:
        print(bold(f"FAILED: {example['name']} {wrong}"), flush=True)
    return wrong is None


def main():
    parser = argparse.ArgumentParser(prog="./lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="an example; without one, all")
    parser.add_argument("--list", action="store_true", help="say what there is, build nothing")
    parser.add_argument("--live", action="store_true", help="the network of three routers, and a shell in it")
    parser.add_argument("--script", action="store_true", help="the network of three routers, unattended")
    parser.add_argument("--from", dest="table", default=ROOT / "examples/lab.toml", type=Path, metavar="FILE",
                        help="another list than examples/lab.toml")
    arguments = parser.parse_args()
    with open(arguments.table, "rb") as file:
        examples = tomllib.load(file)["example"]

    if arguments.list:
        for example in examples:
            print(f"{example['name']:14} {example['shows'].strip().split('. ')[0].rstrip('.')}.".replace("\n", " "))
        return 0
    unknown = set(arguments.names) - {example["name"] for example in examples}
    if unknown:
        print(f"no example is called {', '.join(sorted(unknown))}; see ./lab --list", file=sys.stderr)
        return 2
    if not build():
        print("the build failed: its output is above", file=sys.stderr)
        return 1
    if arguments.live or arguments.script:
        return network.enter(BUILD, arguments.live)
    chosen = [example for example in examples if not arguments.names or example["name"] in arguments.names]
    failed = [example["name"] for example in chosen if not show(example)]
    print(f"\n{len(chosen) - len(failed)} of {len(chosen)} examples did what they promise" +
          (f"; not: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
