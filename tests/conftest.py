"""Settings for all tests."""

from hypothesis import settings

# A slow machine is not a failure; speed is measured in benchmarks/.
settings.register_profile("aibom", deadline=None)
settings.load_profile("aibom")
