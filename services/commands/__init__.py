"""One module per group of `lienthong` sub-commands. They compose services; no business rule lives here."""
