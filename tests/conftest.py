"""Settings for all tests."""

import os

from hypothesis import settings

# A slow machine is not a failure; speed is measured in benchmarks/. The same examples every time, so
# that a red run means a change of ours. The long random search: AIBOM_TEST_EXAMPLES=2000 pytest.
_EXAMPLES = os.environ.get("AIBOM_TEST_EXAMPLES")
settings.register_profile(
    "aibom", deadline=None, max_examples=int(_EXAMPLES or "25"), derandomize=_EXAMPLES is None
)
settings.load_profile("aibom")
