"""Agent clients, one module of data each."""
