"""Descriptors of molecules, computed from their SMILES by RDKit, which is an extra."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

COMPUTED = (
    "mol_weight",
    "log_p",
    "polar_area",
    "h_donors",
    "h_acceptors",
    "rotatable_bonds",
    "rings",
    "aromatic_rings",
    "sp3_fraction",
    "heteroatoms",
)
"""In g/mol, Crippen's logarithm of the octanol-water partition, square angstroms, counts, and the
share of carbons that are sp3."""
MISSING = (
    "needs RDKit, to compute descriptors; install it: pip install 'sdl-runtime[chem]', or give a "
    "table of numbers as descriptors"
)


class Molecules:
    """RDKit at work. ImportError, with what to do, where it is not installed."""

    def __init__(self) -> None:
        try:
            self._base, self._chem, self._functions = map(
                importlib.import_module, ("rdkit.rdBase", "rdkit.Chem", "rdkit.Chem.Descriptors")
            )
        except ImportError:
            raise ImportError(MISSING) from None

    @property
    def method(self) -> str:
        """What the numbers come from."""
        return f"RDKit {self._base.rdkitVersion}"

    def described(self, smiles: Iterable[str]) -> Iterator[tuple[float, ...] | None]:
        """The numbers of each, in the order of ``COMPUTED``; None of what is no molecule."""
        with self._quiet():
            for one in smiles:
                molecule = self._chem.MolFromSmiles(one) if one else None
                yield None if molecule is None else self._numbers(molecule)

    def _numbers(self, molecule: Any) -> tuple[float, ...] | None:
        told = self._functions
        found = (
            float(told.MolWt(molecule)),
            float(told.MolLogP(molecule)),
            float(told.TPSA(molecule)),
            float(told.NumHDonors(molecule)),
            float(told.NumHAcceptors(molecule)),
            float(told.NumRotatableBonds(molecule)),
            float(told.RingCount(molecule)),
            float(told.NumAromaticRings(molecule)),
            float(told.FractionCSP3(molecule)),
            float(told.NumHeteroatoms(molecule)),
        )
        return found if all(map(math.isfinite, found)) else None

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """What it says of a SMILES that it cannot read is told with file and line instead."""
        blocked = self._base.BlockLogs()
        try:
            yield
        finally:
            del blocked
