"""The Stripe gateway as settings describe it."""

import logging
from pathlib import Path

import pytest

from infra.cannot_start import WrongSetting
from infra.ids import new_id
from infra.payments.stripe_opening import stripe_gateway
from infra.settings import read_settings
from tests.gateways.loopback import stand_in
from tests.gateways.stripe_answers import intent

API_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def _environment(folder: Path, api_key: str = API_KEY, secret: str = SECRET) -> dict[str, str]:
    (folder / "key").write_text(f"{api_key}\n")
    (folder / "secret").write_text(secret)
    return {
        "TUAN_STRIPE_API_KEY_FILE": str(folder / "key"),
        "TUAN_STRIPE_WEBHOOK_SECRET_FILE": str(folder / "secret"),
    }


async def test_keys_come_from_files_and_calls_go_where_the_settings_say(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A line end after the key is none of it; a log at its most talkative holds neither key nor client secret."""
    caplog.set_level(logging.DEBUG)
    order_id = new_id()
    async with stand_in() as stripe:
        settings = read_settings(_environment(tmp_path) | {"TUAN_STRIPE_API_BASE": f"{stripe.address}/"})
        gateway = stripe_gateway(settings)
        stripe.will_say(intent(order_id, "requires_payment_method"))
        payment = await gateway.look_up(order_id, "pi_3MtwBwLkdIwHu7ix28a3tqPa")
        await gateway.close()
    assert stripe.asked[0].headers["authorization"] == f"Bearer {API_KEY}"
    assert payment is not None
    assert payment.client_secret
    assert API_KEY not in caplog.text
    assert payment.client_secret not in caplog.text


@pytest.mark.parametrize("missing", ["TUAN_STRIPE_API_KEY_FILE", "TUAN_STRIPE_WEBHOOK_SECRET_FILE"])
def test_a_file_not_named_or_not_there_is_one_line(missing: str, tmp_path: Path) -> None:
    """An operator reads which setting it is and what belongs there."""
    environment = _environment(tmp_path)
    for value, says in (("", "is not set"), (str(tmp_path / "nowhere"), "cannot be read"), (str(tmp_path), "cannot")):
        with pytest.raises(WrongSetting, match=f"{missing}.*{says}") as refused:
            stripe_gateway(read_settings(environment | {missing: value}))
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrong", ["", "two words", "sk_1\nsk_2", "x" * 300, "ключ-ключ"])
def test_what_is_no_secret_is_refused_and_not_repeated(wrong: str, tmp_path: Path) -> None:
    """A file with something else in it is named; what is in it is not."""
    for environment in (_environment(tmp_path, api_key=wrong), _environment(tmp_path, secret=wrong)):
        with pytest.raises(WrongSetting, match="does not hold") as refused:
            stripe_gateway(read_settings(environment))
        assert not wrong or wrong not in str(refused.value)


def test_without_a_stand_in_calls_go_to_stripe(tmp_path: Path) -> None:
    """Nobody has to name Stripe's own address."""
    gateway = stripe_gateway(read_settings(_environment(tmp_path)))
    assert gateway._stripe._requestor.base_addresses["api"] == "https://api.stripe.com"
