"""The app's styles, read once: the library reads every source anew whenever a screen is made, 10 ms each time."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Styles(Stylesheet):
    """What was read stays read for as long as the variables of the theme are the same."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._read_with = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        """Other variables: everything must be read again."""
        if variables != self._read_with:
            self._read_with = variables
            super().set_variables(variables)

    def reparse(self) -> None:
        """Read what was not read with these variables."""
        self.parse()
