import pytest

pytest.register_assert_rewrite(
    "tests.gateways.contract_holds",
    "tests.gateways.contract_payments",
    "tests.gateways.contract_refunds",
    "tests.gateways.contract_webhooks",
    "tests.gateways.subject",
)
