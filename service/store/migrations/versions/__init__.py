"""Migrations of the store, in order; `Store.migrate` runs them."""
