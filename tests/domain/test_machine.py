"""Promises 1 to 5 after every step of anything people and clocks may do."""

from hypothesis import settings

from tests.domain.machine import GroupBuying

TestGroupBuying = GroupBuying.TestCase
TestGroupBuying.__doc__ = "Promises 1 to 5 hold after every step, whatever shoppers, merchants and clocks do."
TestGroupBuying.settings = settings(max_examples=300, stateful_step_count=50)
