"""A reversible hold for bad artifacts: taken out of use whole, kept whole, put back whole."""
