#!/usr/bin/python3
"""./check: build and run every test, and end with one plain line: `N passed, N failed, N skipped`.

Steps, in this order; each writes JUnit files below build/results/, and the closing line is counted from those alone:

  dev      build with ASan and UBSan, run every GoogleTest program
  rules    the rules of the house (tools/rules)
  system   pytest over tests/system (whole programs, namespaces, the installed tree)
  tsan     the tests labelled `threads` again under ThreadSanitizer          (not with --fast)
  fuzz     every fuzz target for a bounded number of runs                    (not with --fast)

What tsan needs is built while the system tests run, which mostly wait.

--fast leaves out the slow: tests labelled `slow`, and the steps so marked above.

A step that cannot run, or finds nothing to run, counts as one failure, and so does a program that ends without having
written its results. A skip counts as a failure too, unless its reason is the machine's: a part of the kernel that
tests/ground/parts.txt lists and that does not work here, namespaces that are forbidden, or root rights that the caller
does not have. Whatever else is missing, tools/setup could have installed.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "build" / "results"
FUZZ_RUNS = 20000
FUZZ_RUNS_OF_SLOW = {"fuzz_rtm_model": 1000,  # each run is thousands of calls into two tables
                     "fuzz_ndis_calls": 100, "fuzz_ndis_buffers": 5000}  # starts and stops NDIS with its threads; many calls
PARTS = ROOT / "tests/ground/parts.txt"


def is_of_the_machine(reason):
    """Whether a reason to skip is one that the set-up could not have mended. The words are those of tests/ground."""
    parts = "|".join(line.split()[0] for line in PARTS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#")
    return re.search(rf"^(no ({parts}) here: |no namespaces here: |wants real root: )", reason, re.MULTILINE) is not None


class Tally:
    """What the closing line says, and the lines above it that explain it."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = {}

    def fail(self, name, message):
        self.failures.append(f"{name}: {message}")

    def read_junit(self, path):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = f"{path.stem}: {case.get('classname', '')}.{case.get('name', '')}"
            failure = case.find("failure") if case.find("failure") is not None else case.find("error")
            skipped = case.find("skipped")
            if failure is not None:
                self.fail(name, first_line(failure.get("message") or failure.text or "failed"))
            elif skipped is not None or case.get("result") == "skipped" or case.get("status") == "notrun":
                reason = (skipped.get("message") or skipped.text if skipped is not None else "disabled") or "no reason given"
                if is_of_the_machine(reason):
                    self.skips.setdefault(first_line(reason), []).append(name)
                else:
                    self.fail(name, f"skipped, and not for want of something in this machine: {first_line(reason)}")
            else:
                self.passed += 1

    def report(self):
        for reason, names in sorted(self.skips.items()):
            print(f"skipped ({len(names)}): {reason}\n    " + "\n    ".join(names[:5]))
        for failure in self.failures:
            print(f"FAILED  {failure}")
        skipped = sum(len(names) for names in self.skips.values())
        print(f"{self.passed} passed, {len(self.failures)} failed, {skipped} skipped", flush=True)
        return 1 if self.failures or self.passed == 0 else 0


def first_line(text):
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " | ".join(lines[:3])[:300]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=False, **options).returncode


def build(preset, tally):
    """Configures and builds a preset with its progress shown; says whether that went well."""
    print(f"== build {preset}", flush=True)
    begun = time.monotonic()
    log = ROOT / "build" / f"{preset}-configure.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "w", encoding="utf-8") as out:
        configured = run("cmake", "--preset", preset, stdout=out, stderr=subprocess.STDOUT) == 0
    if not configured:
        print(log.read_text(encoding="utf-8")[-4000:])
    good = configured and run("cmake", "--build", "--preset", preset) == 0
    if not good:
        tally.fail(f"build {preset}", "does not build")
    print(f"   {time.monotonic() - begun:.0f} s", flush=True)
    return good


def build_ahead(preset):
    """Builds it in the background, while what runs in front mostly waits. What is wrong shows when its turn comes."""
    steps = f"cmake --preset {preset} && cmake --build --preset {preset}"
    return subprocess.Popen(["nice", "-n", "10", "sh", "-c", steps], cwd=ROOT, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def googletest_programs(folder):
    """The tests of a build that have to write a JUnit file; the others are plain programs, and their status says all."""
    told = subprocess.run(["ctest", "--test-dir", folder, "--show-only=json-v1"], capture_output=True, text=True, check=True)
    return {test["name"] for test in json.loads(told.stdout)["tests"] if "GTEST_OUTPUT=" in json.dumps(test["properties"])}


def run_ctest(preset, tally, *more):
    """Runs the GoogleTest programs of a preset; a program that ends without its JUnit file counts as one failure."""
    print(f"== test {preset}", flush=True)
    folder = ROOT / "build" / preset
    shutil.rmtree(folder / "results", ignore_errors=True)
    junit = folder / "ctest.xml"
    junit.unlink(missing_ok=True)
    run("ctest", "--test-dir", folder, "-j", os.cpu_count(), "--output-on-failure", "--output-junit", junit, *more)
    if not junit.exists():
        tally.fail(f"ctest {preset}", "did not run")
        return
    writers = googletest_programs(folder)
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        written = folder / "results" / f"{case.get('name')}.xml"
        before = len(tally.failures)
        if written.exists():
            shutil.copy(written, RESULTS / f"{preset}-{written.name}")
            tally.read_junit(RESULTS / f"{preset}-{written.name}")
        elif case.get("status") == "run" and case.get("name") not in writers:
            tally.passed += 1
        elif case.get("status") == "run":
            tally.fail(f"{preset}: {case.get('name')}", "ended as if all were well, in the middle of its tests")
        if case.get("status") != "run" and len(tally.failures) == before:
            tally.fail(f"{preset}: {case.get('name')}", "did not run, or ended badly (crash, sanitizer or time-out); its output is above")


def run_rules(tally):
    print("== rules", flush=True)
    junit = RESULTS / "rules.xml"
    if run(ROOT / "tools/rules/run.py", "--junit", junit, "--build", ROOT / "build/dev") not in (0, 1) or not junit.exists():
        tally.fail("rules", "did not run")
        return
    tally.read_junit(junit)


def run_pytest(tally, fast):
    print("== system", flush=True)
    junit = RESULTS / "system.xml"
    selection = ["-m", "not slow"] if fast else []
    code = run("/usr/bin/python3", "-m", "pytest", "-q", "tests/system", "--junitxml", junit, *selection)
    if code not in (0, 1) or not junit.exists():
        tally.fail("system", f"pytest ended with {code}")
        return
    tally.read_junit(junit)


def fuzz(target):
    """A bounded, seeded run over the target's corpus: a regression test, not a hunt. Answers how it ended, and what it said.

    libFuzzer adds what it finds to the first folder that it is given, so that is an empty one, never the tracked corpus.
    """
    corpus = ROOT / "fuzz/corpus" / target.name.removeprefix("fuzz_")
    found = ROOT / "build/found" / target.name
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="turnpike-fuzz-") as grown:
        ran = subprocess.run([target, f"-runs={FUZZ_RUNS_OF_SLOW.get(target.name, FUZZ_RUNS)}", "-seed=1", "-timeout=60",
                              f"-artifact_prefix={found}/", "-verbosity=0", grown, *([corpus] if corpus.is_dir() else [])],
                             cwd=ROOT, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace")
    return ran.returncode, f"{ran.stdout}\n{target.name} ended with {ran.returncode}; the input is in {found.relative_to(ROOT)}"


def run_fuzz(tally):
    print("== fuzz", flush=True)
    targets = sorted(path for path in (ROOT / "build/dev/fuzz").glob("fuzz_*") if path.is_file() and os.access(path, os.X_OK))
    if not targets:
        tally.fail("fuzz", "there is no target")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for target, (code, said) in zip(targets, pool.map(fuzz, targets)):
            if code == 0:
                tally.passed += 1
                print(f"kept     {target.name}", flush=True)
            else:
                print(said, flush=True)
                tally.fail(target.name, said.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="the inner loop: no slow tests, one build")
    fast = parser.parse_args().fast
    begun = time.monotonic()
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    tally = Tally()

    if build("dev", tally):
        run_ctest("dev", tally, *(["-LE", "slow"] if fast else []))
    run_rules(tally)
    ahead = None if fast else build_ahead("tsan")
    run_pytest(tally, fast)
    if ahead is not None:
        ahead.wait()
        if build("tsan", tally):
            run_ctest("tsan", tally)
        run_fuzz(tally)

    print(f"== {time.monotonic() - begun:.0f} s", flush=True)
    return tally.report()


if __name__ == "__main__":
    sys.exit(main())
