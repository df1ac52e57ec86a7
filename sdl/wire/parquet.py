"""Tables as Parquet files, read by pyarrow, which is an extra."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any

MISSING = (
    "is a Parquet file, which needs pyarrow; install it: pip install 'sdl-runtime[parquet]', or "
    "save the table as CSV"
)


def cells_of(raw: bytes) -> Iterator[tuple[str, ...]]:
    """The names of the columns, and then each row, as text; what is missing is empty.

    A number is written so that it is read again to the last digit. ImportError, with what to do,
    without pyarrow; ValueError where this is no such file.
    """
    try:
        arrow, parquet = map(importlib.import_module, ("pyarrow", "pyarrow.parquet"))
    except ImportError:
        raise ImportError(MISSING) from None
    table = parquet.read_table(arrow.BufferReader(raw))
    yield tuple(table.column_names)
    columns = [table.column(place).to_pylist() for place in range(table.num_columns)]
    for row in zip(*columns, strict=True):
        yield tuple(map(_text, row))


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(value) if isinstance(value, float) else str(value).strip()
