"""How long our planner takes, and how much memory: beside one product of matrices as a baseline.

Asked as a worker process is asked, through the same door, of a list of candidates that comes with
each question: one point after another with all earlier ones measured, from 20,000 and from 100,000
candidates, and a plate of 96 from 100,000. Told are wall and processor seconds (of this process
alone, so other work on the machine counts in the first only) and the latter in units of one
product of two 1,000 x 1,000 matrices, measured between the questions, which takes the machine's
speed out. Memory is that of the process at its highest. Last, whether `import sdl` loads numpy or
torch.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
for _name in THREADS:  # as in a worker; read by numpy when it is loaded below
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
import psutil  # noqa: E402

from common import arguments, beside, machine, percentile, say, write_json  # noqa: E402
