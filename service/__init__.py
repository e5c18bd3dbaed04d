"""Polyphonie: from the open answers of a survey to a draft synthesis an analyst can check line by line."""

__version__ = "0.1.0"
