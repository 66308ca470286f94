"""The rulebook on disk: layers of files, the compiled snapshot that calls read, and what is wrong."""
