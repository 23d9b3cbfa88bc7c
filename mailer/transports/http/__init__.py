"""HTTP for the APIs of providers: one kept connection, which says how far a request got."""
