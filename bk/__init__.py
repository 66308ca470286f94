"""bk (Beekeeper): the guard between coding agents and the machines they work on."""

__version__ = "0.1.0"
