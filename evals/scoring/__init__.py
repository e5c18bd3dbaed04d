"""Scorers: pure functions over texts and ids, each with its formula and source. `measures` names and versions them."""
