"""A child process that does at each start what its plan says: ``moody_child.py PLAN``.

The plan is a file with one word per start: ``die`` after it came up, ``fail`` to come up,
``stay``, or ``obey``, and write down what it was told. Each start takes one word away.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sdl.shell.lifeline import announce_ready

PLAN = Path(sys.argv[1])
mood, *rest = PLAN.read_text().split()
beside = PLAN.with_suffix(".new")
beside.write_text(" ".join(rest))
beside.replace(PLAN)  # in one piece, for the test reads it all the time
if mood == "fail":
    sys.exit("the port is still busy")
announce_ready()
if mood == "stay":
    sys.stdin.read()
if mood == "obey":
    PLAN.with_suffix(".told").write_text(sys.stdin.readline())
