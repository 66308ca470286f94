"""Which registry a package would come from."""
