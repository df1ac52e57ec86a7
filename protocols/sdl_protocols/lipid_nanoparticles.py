"""Lipid nanoparticles: make one formulation and measure how well it takes up the drug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sdl import protocol
from sdl.capabilities import Workstation


@dataclass(frozen=True, slots=True, kw_only=True)
class Formulation:
    """What one run observes."""

    encap_efficiency_fraction: float
    """Share of the drug that ends up in particles, 0 to 1."""
    drug_loading_fraction: float
    """Share of the particles' mass that is drug, 0 to 1."""
    particle_diameter_arb: float
    """In the unit of the data, which their source does not state."""


@protocol
async def lipid_nanoparticles(
    station: Workstation,
    *,
    drug_input_mg: float,
    solid_lipid: Literal["Compritol_888", "Glyceryl_monostearate", "Stearic_acid"],
    solid_lipid_input_mg: float,
    liquid_lipid_input_mg: float,
    surfactant_input_fraction: float,
) -> Formulation:
    """Make and measure one formulation; the recipe's keys are the columns of the data set."""
    found = await station.make(
        {
            "drug_input": drug_input_mg,
            "solid_lipid": solid_lipid,
            "solid_lipid_input": solid_lipid_input_mg,
            "liquid_lipid_input": liquid_lipid_input_mg,
            "surfactant_input": surfactant_input_fraction,
        }
    )
    return Formulation(
        encap_efficiency_fraction=found["encap_efficiency"],
        drug_loading_fraction=found["drug_loading"],
        particle_diameter_arb=found["particle_diameter"],
    )
