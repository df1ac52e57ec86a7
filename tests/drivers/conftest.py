"""PyLabRobot keeps its tracking switches in the process: put them back after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pylabrobot.resources import (  # type: ignore[import-untyped]
    set_tip_tracking,
    set_volume_tracking,
)
from pylabrobot.resources.tip_tracker import (  # type: ignore[import-untyped]
    does_tip_tracking,
)
from pylabrobot.resources.volume_tracker import (  # type: ignore[import-untyped]
    does_volume_tracking,
)


@pytest.fixture(autouse=True)
def _tracking_as_before() -> Iterator[None]:
    tips, volumes = does_tip_tracking(), does_volume_tracking()
    yield
    set_tip_tracking(enabled=tips)
    set_volume_tracking(enabled=volumes)
