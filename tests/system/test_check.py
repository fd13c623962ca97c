"""tools/check/run.py: what counts as passed, failed and skipped. A check that cannot fail would make every other test moot."""

import importlib.util
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="check")
def fixture_check(tmp_path, monkeypatch):
    """The body of ./check as a module, in a tree of its own that has nothing built."""
    spec = importlib.util.spec_from_file_location("check_run", ROOT / "tools/check/run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    module.RESULTS.mkdir()
    return module


def read(check, *cases):
    junit = check.RESULTS / "some.xml"
    junit.write_text("<testsuite>" + "".join(f'<testcase classname="c" name="n{number}">{inner}</testcase>'
                                             for number, inner in enumerate(cases)) + "</testsuite>", encoding="utf-8")
    tally = check.Tally()
    tally.read_junit(junit)
    return tally


def skipped(reason):
    return f"<skipped message={quoteattr(reason)}/>"


@pytest.mark.parametrize("reason", [
    "no af_xdp here: /usr/bin/python3 -IS -c '…': OSError: [Errno 97] Address family not supported",
    "tests/ground/ground.cpp:311\nno bridge here: ip link add probe0 type bridge: Operation not supported",
    "no namespaces here: unshare --net true: Operation not permitted",
    "wants real root: run it as root, or with sudo",
])
def test_what_the_machine_lacks_is_a_skip_with_its_reason(check, reason, capsys):
    tally = read(check, "", skipped(reason))
    assert tally.report() == 0
    said = capsys.readouterr().out
    assert said.endswith("\n1 passed, 0 failed, 1 skipped\n")
    assert reason.splitlines()[-1] in said


@pytest.mark.parametrize("reason", [
    "scapy is not installed",
    "no scapy here: import scapy",
    "could not import 'scapy'",
    "there is no bridge here: really",
    "no reason given",
    "",
])
def test_a_skip_for_what_the_set_up_could_install_is_a_failure(check, reason, capsys):
    assert read(check, "", skipped(reason)).report() == 1
    assert capsys.readouterr().out.endswith("\n1 passed, 1 failed, 0 skipped\n")


def test_a_disabled_test_is_a_failure(check):
    (check.RESULTS / "some.xml").write_text('<testsuite><testcase name="n" status="notrun"/></testsuite>', encoding="utf-8")
    tally = check.Tally()
    tally.read_junit(check.RESULTS / "some.xml")
    assert (tally.passed, len(tally.failures)) == (0, 1)


@pytest.mark.parametrize("kind", ["failure", "error"])
def test_failures_are_named(check, kind, capsys):
    assert read(check, "", f'<{kind} message="it broke"/>').report() == 1
    assert "FAILED  some: c.n1: it broke\n1 passed, 1 failed, 0 skipped\n" in capsys.readouterr().out


def test_nothing_run_is_no_success(check):
    assert check.Tally().report() == 1


CTEST = """
add_test(plain "/bin/true")
add_test(writes "/bin/sh" "-c" "mkdir results; echo '<testsuite><testcase name=\\"n\\"/></testsuite>' > results/writes.xml")
add_test(leaks_at_exit "/bin/sh" "-c" "cp results/writes.xml results/leaks_at_exit.xml; exit 23")
add_test(leaves_early "/bin/true")
add_test(crashes "/bin/sh" "-c" "kill -SEGV $$")
add_test(is_not_built "/no/such/program")
set_tests_properties(leaks_at_exit PROPERTIES DEPENDS writes)
set_tests_properties(writes leaks_at_exit leaves_early crashes is_not_built PROPERTIES
                     ENVIRONMENT "GTEST_OUTPUT=xml:somewhere")
"""


def test_every_program_counts_however_it_ends(check):
    folder = check.ROOT / "build/dev"
    folder.mkdir(parents=True)
    (folder / "CTestTestfile.cmake").write_text(CTEST, encoding="utf-8")
    tally = check.Tally()
    check.run_ctest("dev", tally)
    assert tally.passed == 3, "plain, and the test case of two that wrote one"
    assert sorted(failure.partition(": ")[2].partition(":")[0] for failure in tally.failures) == [
        "crashes", "is_not_built", "leaks_at_exit", "leaves_early"]


def test_a_build_without_fuzz_targets_is_a_failure(check):
    tally = check.Tally()
    check.run_fuzz(tally)
    assert (tally.passed, len(tally.failures)) == (0, 1)
