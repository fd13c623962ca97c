"""Fixtures of every system test: `ground` and `root_ground`, each a fresh network (see ground.py)."""

import os

import pytest
from ground import Ground


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("wants real root: run it as root, or with sudo")


@pytest.fixture
def ground():
    with Ground() as fresh:
        yield fresh


@pytest.fixture
def root_ground():
    with Ground(privileged=True) as fresh:
        yield fresh
