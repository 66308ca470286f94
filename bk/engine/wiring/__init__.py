"""How each client is told to ask the guard before a tool runs: its files, our entries in them, and what undoes them."""
