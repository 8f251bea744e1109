"""Settings for all tests."""

import os

from hypothesis import settings

# A slow machine is not a failure; speed is measured in benchmarks/. A long search is for the night:
# AIBOM_TEST_EXAMPLES=2000 pytest.
settings.register_profile(
    "aibom", deadline=None, max_examples=int(os.environ.get("AIBOM_TEST_EXAMPLES", "25"))
)
settings.load_profile("aibom")
