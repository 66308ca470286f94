"""Measurements: whole processes, as ratios within one run."""
