"""A feed server for tests: honest where it is told to be, hostile in every way that a feed can be."""
