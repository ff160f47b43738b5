"""Changes of the tables, forward only, one text for both engines; run by `guardian.stores.migrate`."""
