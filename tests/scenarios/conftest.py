"""The helpers of the scenarios explain what they assert, as tests do."""

import pytest

pytest.register_assert_rewrite("scenarios.judging", "scenarios.world")
