"""`tuan merchants` and `tuan cancel-group`: what an operator may decide for one merchant, and about one group."""

from uuid import UUID

import pytest

from domain.groupbuy.payment import PaymentTerms
from infra.ids import new_id
from infra.payments.merchant_settings import merchant_settings, set_merchant, unset_merchant
from infra.payments.merchant_terms import taking_money
from infra.runtime import Runtime
from tests.house.running import tuan
from tests.money_shop import MoneyShop
from tests.reading.shop import Shop

MERCHANT = "0198c000-0000-7000-8000-000000000001"


async def test_a_merchant_is_set_shown_and_unset(runtime: Runtime, environment: dict[str, str]) -> None:
    """Gateway and fee of one merchant: set, listed beside the settings, and taken back."""
    for arguments, line in (
        (
            ("set", MERCHANT, "--gateway", "sandbox", "--fee-bps", "250"),
            "gateway sandbox, fee 250 basis points (2.5 %)",
        ),
        (("list",), f"{MERCHANT}: gateway sandbox, fee 250 basis points (2.5 %)"),
        (("unset", MERCHANT), "the settings hold again"),
    ):
        answer = tuan("merchants", *arguments, **environment)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert line in answer.stdout
    assert not await merchant_settings(runtime.engine)


async def test_a_gateway_that_is_not_set_up_is_said(runtime: Runtime, environment: dict[str, str]) -> None:
    """It is set, as the API may have what is missing here, and said; without a command it is listed."""
    answer = tuan("merchants", "set", MERCHANT, "--gateway", "stripe", **environment)
    assert (answer.returncode, answer.stdout.count("gateway stripe")) == (0, 1)
    assert "stripe is not set up here" in answer.stderr
    assert "TUAN_STRIPE_API_KEY_FILE is not set" in answer.stderr
    assert f"{MERCHANT}: gateway stripe" in tuan("merchants", **environment).stdout
    assert await unset_merchant(runtime.engine, UUID(MERCHANT))


async def test_what_is_set_holds_for_deals_published_after(runtime: Runtime) -> None:
    """Gateway and fee are set together or one by one; where nothing is set the settings hold."""
    merchant_id = new_id()

    async def taken() -> PaymentTerms | None:
        return (await taking_money(runtime.engine, runtime.settings, runtime.gateways, merchant_id)).payment

    for gateway, fee_bps, expected in (
        (None, 250, PaymentTerms("sandbox", 250)),
        ("none", None, None),
        ("sandbox", None, PaymentTerms("sandbox", 250)),
        (None, 0, PaymentTerms("sandbox", 0)),
    ):
        await set_merchant(runtime.engine, merchant_id, gateway, fee_bps)
        assert await taken() == expected
    assert [await unset_merchant(runtime.engine, merchant_id) for _ in range(2)] == [True, False]
    assert await taken() == PaymentTerms("sandbox", runtime.settings.platform_fee_bps)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("set", MERCHANT), "say --gateway, --fee-bps, or both"),
        (("set", "ada", "--fee-bps", "1"), "'ada' is not a UUID"),
        (("set", MERCHANT, "--fee-bps", "10001"), "is not a whole number from 0 to 10000"),
        (("set", MERCHANT, "--gateway", "paypal"), "invalid choice: 'paypal'"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: tuple[str, ...], line: str, environment: dict[str, str]) -> None:
    """Nothing is set by a slip: status 2, and what was expected."""
    answer = tuan("merchants", *arguments, **environment)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert line in answer.stderr


async def test_the_platform_cancels_a_group(runtime: Runtime, environment: dict[str, str]) -> None:
    """An open group is called off once, with what becomes of the money said; asked again nothing changes."""
    shop = MoneyShop(runtime.engine, runtime.batcher, new_id())
    first, _ = await shop.paid_group(await shop.live(), None, None, quantity=2)
    await shop.reserve(first)
    money = "72.00 EUR held at sandbox goes back (and 1 payment not finished yet): "
    for expected in (
        f"Group {first.group_id} is cancelled: 2 participants; nobody pays.\n{money}",
        f"Group {first.group_id} was cancelled already; nothing changed.\n",
    ):
        answer = tuan("cancel-group", str(first.group_id), **environment)
        assert (answer.returncode, answer.stderr) == (0, "")
        assert answer.stdout.startswith(expected)


async def test_a_group_that_cannot_be_cancelled_is_one_line(runtime: Runtime, environment: dict[str, str]) -> None:
    """One that has closed; and where no money is taken that is said."""
    shop = Shop(runtime.engine, runtime.batcher, new_id())
    full = await shop.opened(await shop.live(), 6)
    answer = tuan("cancel-group", str(full), **environment)
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (1, "", 1)
    unpaid = await shop.opened(await shop.live(), 2)
    assert "No money was taken through Tuan." in tuan("cancel-group", str(unpaid), **environment).stdout
