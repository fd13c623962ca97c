"""The README's two commands exist and explain themselves."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_check_explains_itself():
    done = subprocess.run([ROOT / "check", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--fast" in done.stdout
