"""Tokens estimated from text, where no model has counted them."""

CHARS_PER_TOKEN = 3.5
"""French prose with common tokenisers has 3.3 to 4.0 characters a token; on the low side, so that a budget is not passed."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text, rounded up."""
    return int(len(text) / CHARS_PER_TOKEN) + 1
