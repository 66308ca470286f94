"""Whether this very release of bk may be trusted: a signed list of compromised releases, and what it says of us."""
