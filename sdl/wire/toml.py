"""The files that people write, to values: ``lab.toml`` and ``campaign.toml``."""

from __future__ import annotations

from sdl.wire.campaign_file import CampaignFile, open_campaign, read_campaign
from sdl.wire.lab_file import LabFile, open_lab, read_lab

__all__ = ["CampaignFile", "LabFile", "open_campaign", "open_lab", "read_campaign", "read_lab"]
