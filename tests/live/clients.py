"""The real clients, all of them."""

from __future__ import annotations

from tests.live.tier_one import TIER_ONE
from tests.live.tier_two import TIER_TWO

CLIENTS = (*TIER_ONE, *TIER_TWO)
BY_NAME = {client.name: client for client in CLIENTS}
