"""The headless engine: no terminal, no command line, no network listener but its own socket."""
