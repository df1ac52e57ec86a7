"""Makes the made-up list of this example anew: `python make_designs.py` writes both tables.

Nothing here was measured and no sequence means anything. Twelve parents of sixteen residues are
drawn, and variants of each, as a design program puts them out: 302 in all. `designs.csv` has what
is computed from the sequences alone. `truth.csv` has what only the simulated assay reads: how much
each design binds, made of residues at five places, of charge and amphipathy, of the parent, and of
a part that no descriptor tells. Sixteen of them bind more than half.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SEED, COUNT, HITS = 302, 302, 16
LENGTH, PARENTS = 16, 12
RESIDUES = "ADEFGHIKLNPQRSTVWY"
HYDROPATHY: Mapping[str, float] = dict(
    zip("ADEFGHIKLNPQRSTVWY", (1.8, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8, -3.5, -1.6, -3.5,
                               -4.5, -0.8, -0.7, 4.2, -0.9, -1.3), strict=True)
)  # fmt: skip
"""Kyte and Doolittle, J. Mol. Biol. 157, 105 (1982)."""
CHARGE: Mapping[str, float] = {"D": -1.0, "E": -1.0, "K": 1.0, "R": 1.0, "H": 0.1}
VOLUME: Mapping[str, float] = dict(
    zip("ADEFGHIKLNPQRSTVWY", (88.6, 111.1, 138.4, 189.9, 60.1, 153.2, 166.7, 168.6, 166.7, 114.1,
                               112.7, 143.8, 173.4, 89.0, 116.1, 140.0, 227.8, 193.6), strict=True)
)  # fmt: skip
"""Cubic angstroms; Zamyatnin, Prog. Biophys. Mol. Biol. 24, 107 (1972)."""
TURN = math.radians(100.0)
"""Of one residue about the axis of a helix."""


def designs(chance: random.Random) -> list[tuple[int, str]]:
    """Parents with their variants of one to six exchanges, each sequence once."""
    parents = ["".join(chance.choices(RESIDUES, k=LENGTH)) for _ in range(PARENTS)]
    found = {parent: number for number, parent in enumerate(parents)}
    while len(found) < COUNT:
        number = chance.randrange(PARENTS)
        variant = list(parents[number])
        for place in chance.sample(range(LENGTH), chance.randint(1, 6)):
            variant[place] = chance.choice(RESIDUES)
        found.setdefault("".join(variant), number)
    return [(number, sequence) for sequence, number in found.items()]


def moment(sequence: str) -> float:
    """Hydrophobic moment per residue, as if the sequence were a helix."""
    whole = sum(
        HYDROPATHY[one] * complex(math.cos(TURN * at), math.sin(TURN * at))
        for at, one in enumerate(sequence)
    )
    return abs(whole) / len(sequence)


def profile(sequence: str) -> list[float]:
    """Hydropathy, charge and volume along it, in units of their spread."""
    return [
        value
        for one in sequence
        for value in (HYDROPATHY[one] / 3.0, 2.0 * CHARGE.get(one, 0.0), VOLUME[one] / 45.0)
    ]


def embedding(sequences: Sequence[str], size: int) -> np.ndarray:
    """The principal components of the profiles, (designs, size)."""
    rows = np.array([profile(one) for one in sequences])
    rows -= rows.mean(axis=0)
    left, scale, _ = np.linalg.svd(rows, full_matrices=False)
    found = left[:, :size] * scale[:size]
    # The sign of a component is nobody's; make it the same on every machine.
    signs = np.sign(found[np.abs(found).argmax(axis=0), np.arange(size)])
    return np.asarray(found * signs / found.std(axis=0))


def binding(sequences: Sequence[tuple[int, str]], chance: random.Random) -> list[float]:
    """Per cent bound; sixteen above 50, with a gap around it."""
    motif = {3: "WFY", 6: "KR", 7: "LIV", 10: "WFY", 13: "DE"}
    raw = []
    for parent, sequence in sequences:
        kept = sum(sequence[place] in wanted for place, wanted in motif.items())
        family = {2: 1.1, 4: 0.5, 7: 0.9, 9: 0.7}.get(parent, 0.0)
        raw.append(
            0.8 * kept + family * (0.4 + moment(sequence)) - 0.15 * abs(charge(sequence) - 2.0)
            + 0.5 * chance.gauss()
        )  # fmt: skip
    order = sorted(range(len(raw)), key=lambda at: -raw[at])
    edge = 0.5 * (raw[order[HITS - 1]] + raw[order[HITS]])
    return [
        100.0 / (1.0 + math.exp(-2.2 * (one - edge) - math.copysign(0.25, one - edge)))
        for one in raw
    ]


def charge(sequence: str) -> float:
    """Net, at neutral pH."""
    return sum(CHARGE.get(one, 0.0) for one in sequence)


def write(name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table beside this file."""
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    """Write both tables."""
    chance = random.Random(SEED)
    every = designs(chance)
    bound = binding(every, chance)
    shuffled = list(range(len(every)))
    chance.shuffle(shuffled)
    components = embedding([every[at][1] for at in shuffled], 5)
    listed, known = [], []
    for number, at in enumerate(shuffled):
        sequence = every[at][1]
        computed = [
            charge(sequence),
            sum(HYDROPATHY[one] for one in sequence) / LENGTH,
            moment(sequence),
            sum(one in "FWY" for one in sequence) / LENGTH,
        ]
        listed.append([sequence, *[f"{v:.3f}" for v in (*computed, *components[number])]])
        known.append([sequence, f"{bound[at]:.2f}"])
    names = ["net_charge", "hydropathy", "moment", "aromatic_fraction"]
    write("designs.csv", ["design", *names, *(f"component_{n}" for n in range(1, 6))], listed)
    write("truth.csv", ["design", "bound_percent"], known)


if __name__ == "__main__":
    main()
