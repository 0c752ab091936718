"""The sandbox's own web step: what a bank's page does elsewhere, so that an app can be tried to the end.

Only while payments go through the sandbox. It is the provider's page, not ours: its webhook tells us what came of it.
"""

import re
from html import escape
from typing import Final
from urllib.parse import parse_qs

import msgspec

from api.answers import PRIVATE, Answer, answered
from api.bodies import content_type, read_bytes, read_json
from api.refused import NoSuchGateway
from api.requests import AnyRequest, header, invalid, query_of, runtime_of
from api.routing import route
from domain.pricing.currency import format_minor
from infra.payments.port import GatewayPayment, GatewayRefused, GatewayState
from infra.payments.sandbox.booked import order_of
from infra.payments.sandbox.gateway import SandboxGateway

HTML: Final = b"text/html; charset=utf-8"
FORM: Final = "application/x-www-form-urlencoded"
SEE_OTHER: Final = 303
CONFLICT: Final = 409
NOTHING_AWAITED: Final = "No step is awaited here: the payment is finished, or the link is wrong."
_BACK: Final = re.compile(r"/g/[0-9a-f-]{36}/paid/[0-9a-f-]{36}(\?lang=[a-z]{2})?")
"""Where the step may lead back to: the page that looks whether it is paid, in the language it was left in."""

_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Sandbox payment</title>
<style>:root{{color-scheme:light dark}}body{{font:17px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;
padding:0 1rem}}button{{font:inherit;padding:.6rem 1.2rem;margin:.5rem .5rem 0 0}}</style></head>
<body><h1>Sandbox payment</h1>{content}</body></html>"""
_QUESTION: Final = """<p>{amount}, but no money moves here. What does your bank say?</p>
<form method="post"><input type="hidden" name="client_secret" value="{secret}">
<input type="hidden" name="back" value="{back}">
<button name="approve" value="true">Approve</button> <button name="approve" value="false">Decline</button></form>"""


class StepTaken(msgspec.Struct, frozen=True):
    """A payment at the sandbox after the step."""

    reference: str
    state: GatewayState


class StepBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the shopper did in the sandbox's step; `client_secret` shows that it is the same shopper."""

    client_secret: str
    approve: bool = True


_step_body: Final = msgspec.json.Decoder(StepBody)


@route("GET", "/sandbox/payments/{reference}/step")
async def show_sandbox_step(request: AnyRequest) -> Answer:
    """Ask whoever has the client secret; looking at the page changes nothing."""
    gateway = _sandbox(request)
    reference: str = request.scope["path_params"]["reference"]
    order_id = order_of(reference)
    payment = await gateway.look_up(order_id, reference) if order_id else None
    secret = query_of(request).get("client_secret", "")
    back = query_of(request).get("back", "")
    if payment is None or payment.client_secret != secret:
        if _is_for_a_browser(request):
            return _nothing_awaited(back)
        raise GatewayRefused("no_such_step", NOTHING_AWAITED)
    amount = format_minor(payment.amount_minor, payment.currency)
    return _page(_QUESTION.format(amount=escape(amount), secret=escape(secret), back=escape(back)))


@route("POST", "/sandbox/payments/{reference}/step")
async def take_sandbox_step(request: AnyRequest) -> Answer:
    """The shopper approves or fails the further step that the sandbox asked for: from the page's form, or as JSON."""
    gateway = _sandbox(request)
    is_form = content_type(request) == FORM
    body, back = _of_form(await read_bytes(request)) if is_form else (await read_json(request, _step_body), "")
    reference: str = request.scope["path_params"]["reference"]
    try:
        found = await gateway.complete_step(reference, body.client_secret, approve=body.approve)
    except GatewayRefused:
        if is_form and _is_for_a_browser(request):
            return _nothing_awaited(back)
        raise
    if _BACK.fullmatch(back):
        return Answer(SEE_OTHER, b"", ((b"location", back.encode()), (b"cache-control", b"no-store")), HTML)
    return _page(_said(found)) if is_form else answered(StepTaken(found.reference, found.state), headers=PRIVATE)


def _sandbox(request: AnyRequest) -> SandboxGateway:
    gateway = runtime_of(request).gateways.get("sandbox")
    if not isinstance(gateway, SandboxGateway):
        raise NoSuchGateway("sandbox")
    return gateway


def _of_form(body: bytes) -> tuple[StepBody, str]:
    """What was done, and where to go then."""
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=10)
    except ValueError:
        raise invalid("body", "must be the form of the page") from None
    secret, approve = fields.get("client_secret", [""])[0], fields.get("approve", ["false"])[0]
    return StepBody(client_secret=secret, approve=approve == "true"), fields.get("back", [""])[0]


def _said(found: GatewayPayment) -> str:
    is_declined = found.state is GatewayState.CANCELLED
    return f"<p>{'Declined' if is_declined else 'Approved'}. You can go back to the app.</p>"


def _is_for_a_browser(request: AnyRequest) -> bool:
    """Whether somebody reads what is answered."""
    return b"text/html" in (header(request, b"accept") or b"")


def _nothing_awaited(back: str) -> Answer:
    """As after going back from where the step led to: a way on, where one is known."""
    way = f'<p><a href="{back}">Back to the group</a></p>' if _BACK.fullmatch(back) else ""
    return _page(f"<p>{NOTHING_AWAITED}</p>{way}", CONFLICT)


def _page(content: str, status: int = 200) -> Answer:
    return Answer(status, _PAGE.format(content=content).encode(), ((b"cache-control", b"no-store"),), HTML)
