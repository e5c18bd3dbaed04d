"""`polyphonie group`, `label`, `synthesise`: one part of the method alone, from file to file."""
