"""tools/coverage.py: what it reads, what it writes, and each thing that it refuses."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = """# A contract
- AB1-001 [D] first.
- **AB1-002** [C] second.
| AB1-003 | 5 | D | third | how |
| AB1-004 | both | D/R | fourth | how |
"""
# The marks below are put together here: a whole one in this file would count as one of its own.
TEST = """#include <gtest/gtest.h>
{} clauses: AB1-001 AB1-003
// A word about it.
TEST_F(Suite, Shows) {{}}
""".format("//")
PYTHON_TEST = """import pytest

{} clauses: AB1-002
@pytest.mark.slow
def test_second():
    pass
""".format("#")


@pytest.fixture(name="tree")
def small_tree(tmp_path):
    """A tree with one built contract of four clauses: three have a test, the fourth deviates."""
    files = {
        "docs/contract/ab.md": CONTRACT,
        "docs/contract/scope.txt": "ab.md built  # the only one\n",
        "docs/deviations.md": "| clauses | what differs | why |\n|---|---|---|\n| AB1-004 | less | it is better so |\n",
        "tests/room/a_test.cpp": TEST,
        "tests/system/test_b.py": PYTHON_TEST,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(tree, *arguments):
    return subprocess.run([ROOT / "tools/coverage.py", "--root", tree, *arguments], capture_output=True, text=True, check=False)


def edit(tree, name, old, new):
    path = tree / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def refused(tree):
    """What --check says of a tree that was written afresh."""
    run(tree)
    done = run(tree, "--check")
    assert done.returncode == 1
    return done.stdout


def test_writes_a_row_for_each_clause_and_accepts_its_own_work(tree):
    assert run(tree).returncode == 0
    page = (tree / "docs/coverage.md").read_text(encoding="utf-8")
    assert "| [ab.md](contract/ab.md) | built | 4 | 3 | 1 | 0 |" in page
    assert "| AB1-001 | D | `Suite.Shows` | shown |" in page
    assert "| AB1-002 | C | `test_b.py::test_second` | shown |" in page
    assert "| AB1-003 | D | `Suite.Shows` | shown |" in page
    assert "| AB1-004 | D/R | | deviates |" in page
    assert run(tree, "--check").returncode == 0


def test_refuses_a_page_that_is_not_its_own_and_mends_nothing_when_asked_to_check(tree):
    run(tree)
    edit(tree, "docs/coverage.md", "shown", "seen")
    assert "docs/coverage.md is not what" in run(tree, "--check").stdout
    assert "seen" in (tree / "docs/coverage.md").read_text(encoding="utf-8")


def test_refuses_a_missing_page(tree):
    assert run(tree, "--check").returncode == 1


def test_refuses_a_clause_that_nothing_answers(tree):
    edit(tree, "tests/room/a_test.cpp", " AB1-003", "")
    assert "AB1-003 has neither a test nor a recorded deviation" in refused(tree)


def test_a_planned_contract_may_wait_but_its_tests_count(tree):
    edit(tree, "tests/room/a_test.cpp", " AB1-003", "")
    edit(tree, "docs/contract/scope.txt", "built", "planned")
    assert run(tree).returncode == 0
    page = (tree / "docs/coverage.md").read_text(encoding="utf-8")
    assert "| planned | 4 | 2 | 1 | 1 |" in page
    assert "| AB1-003 | D | | planned |" in page


def test_the_built_part_of_a_planned_contract_may_not_wait(tree):
    edit(tree, "docs/contract/scope.txt", "built", "planned AB1-002..AB1-003")
    edit(tree, "tests/room/a_test.cpp", "AB1-001 ", "")
    assert run(tree).returncode == 0
    edit(tree, "tests/room/a_test.cpp", " AB1-003", " AB1-004")
    assert "AB1-003 has neither a test nor a recorded deviation" in refused(tree)


@pytest.mark.parametrize("part", ["AB1-002", "AB1-002..", "AB1-002..AB1-009"])
def test_refuses_a_part_that_is_none(tree, part):
    edit(tree, "docs/contract/scope.txt", "built", f"planned {part}")
    assert "scope.txt:1: " in refused(tree)


def test_a_planned_deviation_reads_planned(tree):
    edit(tree, "docs/deviations.md", "it is better so", "planned: next year")
    assert run(tree).returncode == 0
    assert "| AB1-004 | D/R | | planned |" in (tree / "docs/coverage.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["tests/room/a_test.cpp", "docs/deviations.md"])
def test_refuses_a_number_that_no_contract_has(tree, name):
    edit(tree, name, "AB1-00", "AB1-09")
    assert "there is no clause AB1-09" in refused(tree)


def test_refuses_a_line_above_no_test(tree):
    edit(tree, "tests/room/a_test.cpp", "TEST_F(Suite, Shows) {}", "void helper() {}\nTEST_F(Suite, Shows) {}")
    assert "a_test.cpp:2: this `clauses:` line stands above no test" in refused(tree)


def test_refuses_a_line_at_the_end_of_a_file(tree):
    with open(tree / "tests/room/a_test.cpp", "a", encoding="utf-8") as out:
        out.write(TEST.splitlines()[1] + "\n")
    assert "stands above no test" in refused(tree)


def test_refuses_a_clause_that_is_there_twice(tree):
    edit(tree, "docs/contract/ab.md", "AB1-004", "AB1-003")
    assert "AB1-003 is there twice" in refused(tree)


def test_refuses_a_contract_that_the_scope_forgets(tree):
    edit(tree, "docs/contract/scope.txt", "ab.md", "zz.md")
    said = refused(tree)
    assert "ab.md is not listed" in said
    assert "zz.md is no contract with clauses" in said


def test_refuses_a_scope_that_it_does_not_understand(tree):
    edit(tree, "docs/contract/scope.txt", "built", "done")
    assert "wanted `FILE built` or `FILE planned`" in refused(tree)


def test_refuses_a_deviation_without_a_reason(tree):
    edit(tree, "docs/deviations.md", "it is better so", "")
    assert "must both be said" in refused(tree)


def test_the_contract_has_as_many_clauses_as_its_readme_says():
    """A clause whose line the tool does not understand would go unnoticed otherwise."""
    stated = dict(re.findall(r"^\| \[(\w+\.md)\].* (\d+) \|$", (ROOT / "docs/contract/README.md").read_text(encoding="utf-8"), re.M))
    page = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    read = dict(re.findall(r"^\| \[(\w+\.md)\][^|]*\| \w+ \| (\d+) \|", page, re.M))
    assert len(stated) == 6
    assert stated == read
