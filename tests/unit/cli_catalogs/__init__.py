"""`bk catalogs` as it is typed."""
