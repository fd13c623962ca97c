#!/usr/bin/python3
"""Which clause of the contract is shown by which test: writes docs/coverage.md, or with --check says what is wrong.

Reads   docs/contract/*.md    the clauses: a list item `- RTM2-001 [D] …` or a table row `| NDIS-001 | 5 | D | …`
        docs/contract/scope.txt   which of these files are built, which are planned
        docs/deviations.md    what we do otherwise, and why
        tests/                comment lines `clauses: RTM2-001 …` directly above a test (docs/contract/README.md)

A clause is *shown* when a test names it, *deviates* when docs/deviations.md does, and *planned* when its contract is not
built yet or its deviation is planned work. A clause of a built contract, or of the built part of a planned one, that is none of
these is *open*: an error.
"""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"[A-Z][A-Z0-9]*-\d{3}"
CLAUSE = re.compile(rf"^(?:- \**({NUMBER})\** \[([A-Z/]+)\]|\| ({NUMBER}) \| [^|]* \| ([A-Z/]+) \|)")
PART = re.compile(rf"({NUMBER})\.\.({NUMBER})")
MARKER = re.compile(r"^\s*(?://|#)\s*clauses:(.*)$")
CPP_TEST = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)")
PYTHON_TEST = re.compile(r"^\s*(?:async\s+)?def\s+(test_\w+)")
BETWEEN = re.compile(r"^\s*(?://.*|#.*|@.*)?$")
STATES = ("shown", "deviates", "planned", "open")


@dataclass
class Clause:
    mark: str
    contract: str
    tests: list = field(default_factory=list)
    deviation: str = ""  # "", "deviates" or "planned"


@dataclass
class Book:
    """Everything read, and what was wrong with it."""

    clauses: dict = field(default_factory=dict)
    built: dict = field(default_factory=dict)  # contract file -> bool
    parts: dict = field(default_factory=dict)  # contract file that is planned -> (first, last) of the clauses that are built
    errors: list = field(default_factory=list)

    def is_built(self, name, clause):
        first, last = self.parts.get(clause.contract, ("", ""))
        return self.built.get(clause.contract) or first <= name <= last

    def state(self, name, clause):
        if clause.tests:
            return "shown"
        return clause.deviation or ("open" if self.is_built(name, clause) else "planned")


def read_contract(root, book):
    for path in sorted((root / "docs/contract").glob("*.md")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = CLAUSE.match(line)
            if not found:
                continue
            name = found[1] or found[3]
            if name in book.clauses:
                book.errors.append(f"{path.relative_to(root)}:{number}: {name} is there twice")
            book.clauses[name] = Clause(found[2] or found[4], path.name)


def read_scope(root, book):
    path = root / "docs/contract/scope.txt"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        part = PART.fullmatch(words[2]) if len(words) == 3 and words[1] == "planned" else None
        if len(words) < 2 or words[1] not in ("built", "planned") or (len(words) > 2 and not part):
            book.errors.append(f"{path.relative_to(root)}:{number}: wanted `FILE built` or `FILE planned`, with FIRST..LAST if a part is built")
            continue
        book.built[words[0]] = words[1] == "built"
        if part:
            book.parts[words[0]] = part.groups()
            book.errors += [f"{path.relative_to(root)}:{number}: there is no clause {name}" for name in part.groups()
                            if name not in book.clauses]
    contracts = {clause.contract for clause in book.clauses.values()}
    for name in sorted(contracts ^ set(book.built)):
        book.errors.append(f"{path.relative_to(root)}: {name} is "
                           + ("not listed" if name in contracts else "no contract with clauses"))


def read_deviations(root, book):
    path = root / "docs/deviations.md"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 3 or not re.search(NUMBER, cells[0]):
            continue
        if not cells[1] or not cells[2]:
            book.errors.append(f"{path.relative_to(root)}:{number}: what differs and why must both be said")
        for name in cells[0].split():
            if name in book.clauses:
                book.clauses[name].deviation = "planned" if cells[2].startswith("planned:") else "deviates"
            else:
                book.errors.append(f"{path.relative_to(root)}:{number}: there is no clause {name}")


def test_name(path, line):
    if path.suffix == ".py":
        found = PYTHON_TEST.match(line)
        return f"{path.name}::{found[1]}" if found else ""
    found = CPP_TEST.match(line)
    return f"{found[1]}.{found[2]}" if found else ""


def read_test_file(root, path, book):
    waiting = []  # (line number, clause) of markers that have not met their test yet
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.relative_to(root)}:{number}"
        marker = MARKER.match(line)
        if marker:
            waiting += [(where, name) for name in marker[1].split()]
            continue
        if not waiting or BETWEEN.match(line):
            continue
        test = test_name(path, line)
        if not test:
            book.errors.append(f"{waiting[0][0]}: this `clauses:` line stands above no test")
        for place, name in waiting:
            if name not in book.clauses:
                book.errors.append(f"{place}: there is no clause {name}")
            elif test and test not in book.clauses[name].tests:
                book.clauses[name].tests.append(test)
        waiting = []
    if waiting:
        book.errors.append(f"{waiting[0][0]}: this `clauses:` line stands above no test")


def read(root):
    book = Book()
    read_contract(root, book)
    read_scope(root, book)
    read_deviations(root, book)
    for path in sorted((root / "tests").rglob("*")):
        if path.suffix in (".cpp", ".c", ".py") and path.is_file():
            read_test_file(root, path, book)
    book.errors += [f"docs/contract/{clause.contract}: {name} has neither a test nor a recorded deviation"
                    for name, clause in book.clauses.items() if book.state(name, clause) == "open"]
    return book


def render(book):
    contracts = sorted(book.built)
    lines = ["# Coverage of the contract", "",
             "Written by `tools/coverage.py`; do not edit. What the states mean stands at the top of that file.", "",
             "| contract | is | clauses | shown by tests | deviating | planned |", "|---|---|---|---|---|---|"]
    for contract in contracts:
        states = [book.state(name, clause) for name, clause in book.clauses.items() if clause.contract == contract]
        counts = [states.count(state) for state in STATES[:3]]
        lines.append(f"| [{contract}](contract/{contract}) | {'built' if book.built[contract] else 'planned'} "
                     f"| {len(states)} | {counts[0]} | {counts[1]} | {counts[2]} |")
    for contract in contracts:
        lines += ["", f"## {contract}", "", "| clause | mark | tests | state |", "|---|---|---|---|"]
        for name, clause in sorted(book.clauses.items()):
            if clause.contract == contract:
                state = book.state(name, clause)
                if clause.tests and clause.deviation:
                    state += f", {clause.deviation}"
                tests = " · ".join(f"`{test}`" for test in sorted(clause.tests))
                lines.append(f"| {name} | {clause.mark} | {tests} | {state} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 and say why if something is wrong")
    parser.add_argument("--root", type=Path, default=ROOT, help="another tree of the same shape")
    arguments = parser.parse_args()
    book = read(arguments.root)
    target = arguments.root / "docs/coverage.md"
    text = render(book)
    if not arguments.check:
        target.write_text(text, encoding="utf-8")
    elif not target.exists() or target.read_text(encoding="utf-8") != text:
        book.errors.append("docs/coverage.md is not what tools/coverage.py writes; run it")
    print("\n".join(book.errors), end="\n" if book.errors else "")
    return 1 if book.errors else 0


if __name__ == "__main__":
    sys.exit(main())
