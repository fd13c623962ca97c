"""./lab: says what there is, runs what it is told, and fails when an example does not do what it promises."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = tomllib.loads((ROOT / "examples/lab.toml").read_text(encoding="utf-8"))["example"]


def lab(*words):
    return subprocess.run([ROOT / "lab", *words], capture_output=True, text=True, check=False)


@pytest.fixture(name="promise")
def fixture_promise(tmp_path):
    """Runs ./lab over one example with what it promises: a program, its arguments, the texts expected."""

    def run(program, arguments, expect):
        table = tmp_path / "lab.toml"
        table.write_text(f'[[example]]\nname = "it"\nprogram = "{program}"\narguments = {json.dumps(arguments)}\n'
                         f'shows = "Before."\nlook = "after."\nexpect = {json.dumps(expect)}\n', encoding="utf-8")
        return lab("--from", str(table))

    return run


def test_help_explains_it():
    done = lab("--help")
    assert done.returncode == 0
    assert "--list" in done.stdout


def test_list_names_every_example_and_builds_nothing():
    done = lab("--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [example["name"] for example in EXAMPLES]


def test_an_unknown_example_is_refused_before_anything_is_built():
    done = lab("version", "no-such-example")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no-such-example" in done.stderr


def test_every_example_is_explained():
    for example in EXAMPLES:
        assert set(example) >= {"name", "program", "shows", "look"}
        assert example["look"].strip().endswith(".")
    assert len({example["name"] for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.slow
def test_three_routers_keep_two_hosts_together_while_a_link_is_cut_and_healed():
    done = lab("--script")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "h1 still reaches h2, now by r2" in done.stdout
    assert 'r1 tells: {"event":"media absent","interface":"to-r3"}' in done.stdout
    assert "upstream: (*, 239.1.1.1) has receivers now" in done.stdout
    assert "w heard its group, from s by m" in done.stdout
    assert "took their routes with them" in done.stdout


@pytest.mark.slow
def test_every_example_keeps_its_promise():
    done = lab()
    assert done.returncode == 0, done.stdout
    assert f"{len(EXAMPLES)} of {len(EXAMPLES)} examples did what they promise" in done.stdout


@pytest.mark.slow
def test_one_example_is_explained_before_and_after_and_a_second_run_builds_nothing():
    assert lab("version").returncode == 0
    done = lab("version")
    assert done.returncode == 0
    assert "ninja: no work to do" in done.stdout
    before, said, after = (done.stdout.index(text) for text in ("smallest client", "  | Turnpike", "Look at:"))
    assert before < said < after
    assert "== log" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("program, arguments, expect, reason", [
    ("/bin/false", [], [], "ended with 1"),
    ("/bin/echo", ["one"], ["two"], "did not say: 'two'"),
    ("/bin/sh", ["-c", "kill -9 $$"], [], "was ended by signal 9"),
    ("/no/such/program", [], [], "ended with 127"),
])
def test_a_broken_promise_fails(promise, program, arguments, expect, reason):
    done = promise(program, arguments, expect)
    assert done.returncode == 1
    assert f"FAILED: it {reason}" in done.stdout
    assert done.stdout.rstrip().endswith("0 of 1 examples did what they promise; not: it")


@pytest.mark.slow
def test_both_outputs_are_shown(promise):
    done = promise("/bin/sh", ["-c", "echo out; echo err >&2"], ["out\nerr\n"])
    assert done.returncode == 0
    assert "  | out\n  | err\n" in done.stdout
