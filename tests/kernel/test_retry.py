"""When what failed is tried again: growing pauses, a cap, the same for the same key."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.retry import RetryPolicy

POLICIES = [RetryPolicy(), RetryPolicy(max_attempts=24, first=30, cap=3960, jitter=0.1)]


@pytest.mark.parametrize("policy", POLICIES)
@given(key=st.text(min_size=1, max_size=40))
def test_pauses_grow_up_to_a_cap_and_end_with_the_budget(policy: RetryPolicy, key: str):
    pauses = [policy.pause(made, key).total_seconds() for made in range(1, 60)]
    assert all(policy.first <= pause <= policy.cap for pause in pauses)
    assert all(earlier <= later * (1 + policy.jitter) for earlier, later in pairwise(pauses))
    assert pauses[-1] >= policy.cap / (1 + policy.jitter)
    assert [policy.spent(made) for made in (policy.max_attempts - 1, policy.max_attempts)] == [
        False,
        True,
    ]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("attempts", [1, 3, 50])
def test_what_failed_together_spreads_out_also_at_the_cap(policy: RetryPolicy, attempts: int):
    assert policy.pause(attempts, "m-1") == policy.pause(attempts, "m-1")
    assert len({policy.pause(attempts, f"m-{number}") for number in range(50)}) == 50
