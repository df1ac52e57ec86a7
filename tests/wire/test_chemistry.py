"""Descriptors that RDKit computes, and tables as Parquet: with these libraries, and without."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from sdl.model.campaign import ChoiceParameter
from sdl.model.candidates import rows_of
from sdl.wire.smiles import COMPUTED
from tests.wire.test_problem_tables import read, refused

GIVEN = '[search.ligand]\nchoices = ["L1", "L2"]\nsmiles = { L1 = "CCO", L2 = "c1ccccc1" }\n'
TABLE = "ligand,smiles,pka\nL1,CCO,16\nL2,c1ccccc1,43\n"
COLUMN = '[search]\nligand = { descriptors = "ligands.csv", smiles = "smiles" }\n'
LIST = '[search]\ncandidates = "list.parquet"\n'


def is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


with_rdkit = pytest.mark.skipif(not is_there("rdkit"), reason="RDKit, an extra, is not installed")
without_rdkit = pytest.mark.skipif(is_there("rdkit"), reason="RDKit is installed")
without_pyarrow = pytest.mark.skipif(is_there("pyarrow"), reason="pyarrow is installed")


@with_rdkit
def test_a_molecule_is_described_by_what_rdkit_computes(tmp_path: Path) -> None:
    (ligand,) = read(tmp_path, GIVEN).space
    assert isinstance(ligand, ChoiceParameter)
    assert ligand.descriptors is not None
    assert ligand.descriptors.names == COMPUTED
    assert ligand.descriptors.source.startswith("RDKit ")
    ethanol = dict(zip(COMPUTED, ligand.descriptors.rows[0], strict=True))
    assert ethanol["mol_weight"] == pytest.approx(46.07, abs=0.01)
    assert (ethanol["h_donors"], ethanol["rings"]) == (1.0, 0.0)


@with_rdkit
def test_computed_descriptors_stand_beside_those_of_the_table(tmp_path: Path) -> None:
    (ligand,) = read(tmp_path, COLUMN, ligands=TABLE).space
    assert isinstance(ligand, ChoiceParameter)
    assert ligand.options == ("L1", "L2")
    assert ligand.descriptors is not None
    assert ligand.descriptors.names == ("pka", *COMPUTED)
    assert [row[0] for row in ligand.descriptors.rows] == [16.0, 43.0]


@with_rdkit
def test_what_is_no_molecule_is_a_mistake(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, GIVEN.replace("CCO", "CX"))
    assert "search.ligand.smiles: L1 = 'CX': no SMILES that RDKit can read; correct it" in found


@without_rdkit
def test_without_rdkit_a_person_is_told_what_to_install(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, GIVEN)
    assert "search.ligand.smiles: needs RDKit, to compute descriptors; install it: " in found
    assert "pip install 'sdl-runtime[chem]'" in found


def test_each_choice_needs_its_molecule(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, GIVEN.replace('L2 = "c1ccccc1"', 'L3 = "C"'))
    assert "search.ligand.smiles: says nothing of L2" in found


def test_a_column_of_molecules_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, COLUMN.replace('= "smiles"', '= "smile"'), ligands=TABLE)
    assert "search.ligand.smiles: 'ligands.csv' has no column 'smile'; did you mean" in found


def test_a_list_of_points_is_read_from_parquet(tmp_path: Path) -> None:
    arrow: Any = pytest.importorskip("pyarrow", reason="pyarrow, an extra, is not installed")
    columns = {"dose_mg": [0.1, 1.0 / 3.0, 2.0], "ligand": ["a", "b", "a"], "cycles": [1, 2, 3]}
    parquet: Any = importlib.import_module("pyarrow.parquet")
    parquet.write_table(arrow.table(columns), tmp_path / "list.parquet")
    campaign = read(tmp_path, LIST)
    assert campaign.candidates is not None
    assert list(rows_of(campaign.candidates)) == list(zip(*columns.values(), strict=True))


def test_what_is_no_parquet_is_a_mistake(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow, an extra, is not installed")
    (tmp_path / "list.parquet").write_bytes(b"PAR1 is how it begins")
    (found,) = refused(tmp_path, LIST)
    assert "search.candidates: 'list.parquet' cannot be read as Parquet: " in found


@without_pyarrow
def test_without_pyarrow_a_person_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "list.parquet").write_bytes(b"PAR1")
    (found,) = refused(tmp_path, LIST)
    assert "search.candidates: 'list.parquet' is a Parquet file, which needs pyarrow; " in found
    assert "pip install 'sdl-runtime[parquet]'" in found
