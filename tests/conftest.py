"""For every test: property tests are never timed, machines are noisy."""

from hypothesis import settings

settings.register_profile("polyphonie", deadline=None)
settings.load_profile("polyphonie")
