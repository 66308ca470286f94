"""The hook surface: a client's bytes in, the client's own answer out."""
