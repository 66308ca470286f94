"""Confirmed outcomes: what happened, what it turned out to be, and what follows from that on this machine."""
