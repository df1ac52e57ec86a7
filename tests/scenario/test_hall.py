"""A hall full of plates that wait for one arm: what a turn of the engine takes is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLATES = 50


def test_plates_that_wait_for_an_arm_are_timed() -> None:
    rooms = (ROOT, *(ROOT / name for name in ("drivers", "protocols", "simulators")))
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "online_latency.py")),
            *("--carried", "--plates", str(PLATES), "--json"),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, rooms))},
        timeout=120,
    )
    found = json.loads(done.stdout)
    assert found["pending"] == PLATES
    assert 0.0 < found["turn_p50_ms"] <= found["turn_p99_ms"] <= found["turn_max_ms"]
