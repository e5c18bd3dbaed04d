"""Vectors: encoders, their cache, near-duplicates, grouping. A leaf: texts and arrays only, it never imports the service."""
