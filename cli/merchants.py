"""`tuan merchants`: how single merchants take money, where it differs from the settings."""

import argparse
import sys
from uuid import UUID

from cli.commands import Commands, add_command, identifier, whole_number
from cli.reach import ask_database
from domain.pricing.shares import BASIS_POINTS
from infra.cannot_start import WrongSetting
from infra.settings import Settings
from infra.settings_money import PAYMENT_GATEWAYS

NOTHING_SAID = 2
AS_SETTINGS = "as the settings say"


def register(commands: Commands) -> None:
    parser = add_command(commands, "merchants", "show and set how single merchants take money", _list)
    doing = parser.add_subparsers(title="commands", metavar="COMMAND")
    doing.add_parser("list", help="merchants for whom something else holds than the settings").set_defaults(
        execute=_list
    )
    setting = doing.add_parser("set", help="for deals that this merchant publishes from now on")
    setting.set_defaults(execute=_set)
    setting.add_argument("merchant_id", type=identifier, metavar="MERCHANT_ID")
    setting.add_argument(
        "--gateway", choices=PAYMENT_GATEWAYS, help="who takes the money; none: prices are told, not taken"
    )
    setting.add_argument(
        "--fee-bps",
        type=whole_number(0, BASIS_POINTS),
        metavar="N",
        help="the platform's part of what is captured, in basis points",
    )
    unsetting = doing.add_parser("unset", help="let the settings hold for this merchant again")
    unsetting.set_defaults(execute=_unset)
    unsetting.add_argument("merchant_id", type=identifier, metavar="MERCHANT_ID")


def _list(settings: Settings, arguments: argparse.Namespace) -> int:  # noqa: ARG001 - as every command is called
    from infra.payments.merchant_settings import merchant_settings

    rows = ask_database(settings, merchant_settings)
    print(f"The settings: gateway {settings.payment_gateway}, fee {_basis_points(settings.platform_fee_bps)}.")
    for row in rows:
        print(_line(row.merchant_id, row.gateway, row.fee_bps))
    if not rows:
        print("They hold for every merchant.")
    return 0


def _set(settings: Settings, arguments: argparse.Namespace) -> int:
    from infra.payments.merchant_settings import set_merchant

    if arguments.gateway is None and arguments.fee_bps is None:
        print("tuan: Nothing to set: say --gateway, --fee-bps, or both.", file=sys.stderr)
        return NOTHING_SAID
    row = ask_database(
        settings, lambda engine: set_merchant(engine, arguments.merchant_id, arguments.gateway, arguments.fee_bps)
    )
    print(f"{_line(row.merchant_id, row.gateway, row.fee_bps)}. It holds for deals published from now on.")
    _warn_of(settings, row.gateway)
    return 0


def _unset(settings: Settings, arguments: argparse.Namespace) -> int:
    from infra.payments.merchant_settings import unset_merchant

    was_set = ask_database(settings, lambda engine: unset_merchant(engine, arguments.merchant_id))
    said = "hold again for deals published from now on" if was_set else "held already"
    print(f"{arguments.merchant_id}: the settings {said}.")
    return 0


def _warn_of(settings: Settings, gateway: str | None) -> None:
    """Say so where the gateway is not set up here: nobody can publish with it, and `tuan reconcile` stops."""
    from infra.payments.gateways import NONE, Gateways

    if gateway is None or gateway == NONE:
        return
    try:
        Gateways(settings).get(gateway)
    except WrongSetting as missing:
        print(f"tuan: {gateway} is not set up here, so this merchant cannot publish: {missing}", file=sys.stderr)


def _line(merchant_id: UUID, gateway: str | None, fee_bps: int | None) -> str:
    fee = AS_SETTINGS if fee_bps is None else _basis_points(fee_bps)
    return f"{merchant_id}: gateway {gateway or AS_SETTINGS}, fee {fee}"


def _basis_points(fee_bps: int) -> str:
    return f"{fee_bps} basis points ({fee_bps / 100:g} %)"
