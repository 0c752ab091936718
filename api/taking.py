"""Taking a place: reserve it, ask for the money, and answer at once with what came of it or what is still to do."""

from uuid import UUID

import msgspec

from api.answers import Answer
from api.group_answers import group_body, taken_place
from api.idempotency import REPLAYED, keep_instead, replayed, tell_once
from api.place_body import PlaceBody
from api.requests import AnyRequest, runtime_of
from domain.groupbuy.commands import JoinGroup, OpenGroup
from domain.groupbuy.errors import GroupNotFound, OrderNotFound
from domain.groupbuy.payment import Payment
from domain.groupbuy.world import Accepted
from infra.batch import Stored
from infra.payments.checkout import Approved, Awaited, PaymentTooLate
from infra.payments.payment_rows import NextStep, NotedPayment, awaited_payment
from infra.reading.groups import list_open_groups
from infra.rows_money import payment_from
from infra.views import GroupView, group_view, place_view, reserved_view

OTHER_GROUPS_MAX = 5
ACCEPTED = 202


class _Yours(msgspec.Struct):
    order_id: UUID


class _Pointer(msgspec.Struct):
    """What of a stored answer says which order it was about."""

    you: _Yours


_pointer = msgspec.json.Decoder(_Pointer)


async def take_place(request: AnyRequest, command: OpenGroup | JoinGroup, body: PlaceBody) -> Answer:
    """Tell the command, then see to its payment where the deal takes money.

    201 where the place counts, 202 where a payment is awaited, 200 for a place taken before. Raises what telling and
    `Checkout` raise.
    """
    outcome = await tell_once(request, command, body, _reserved_or_taken)
    if isinstance(outcome, Stored):
        answer = replayed(outcome)
        if answer.status != ACCEPTED:
            return answer
        order_id = _pointer.decode(answer.body).you.order_id
        now = await _resumed(request, order_id, body.payment_method, status=201)
        now.headers.append(REPLAYED)
        return now
    payment = outcome.state.awaited
    if payment is None:
        return taken_place(outcome)
    if not outcome.events:
        return await _resumed(request, payment.order_id, body.payment_method, status=200)
    answer = await _paid(request, outcome, payment, body.payment_method)
    if answer.status != ACCEPTED:
        await keep_instead(request, answer)
    return answer


async def with_other_groups(request: AnyRequest, late: PaymentTooLate) -> PaymentTooLate:
    """The refusal of a late payment, with groups of the same deal that can be joined instead."""
    page = await list_open_groups(runtime_of(request).engine, late.deal_id, OTHER_GROUPS_MAX)
    late.joinable_groups = [group for group in page.items if group.id != late.group_id]
    return late


async def _paid(request: AnyRequest, outcome: Accepted, payment: Payment, method: str | None) -> Answer:
    group = outcome.state.group
    assert group is not None
    try:
        result = await runtime_of(request).checkout.authorise(payment, method)
    except PaymentTooLate as late:
        raise await with_other_groups(request, late) from None
    match result:
        case Approved(accepted=None):  # a webhook was faster
            return await _place_as_it_is(request, group.id, payment, 201)
        case Approved(accepted=Accepted() as accepted):
            return taken_place(accepted)
        case Awaited(step=step):
            return _awaiting(group_view(group), payment, step)
    raise AssertionError(result)


async def _resumed(request: AnyRequest, order_id: UUID, method: str | None, status: int) -> Answer:
    """The answer to a join that was made before: how it stands now, `status` where it counts."""
    runtime = runtime_of(request)
    row = await runtime.payments.find(order_id)
    if row is None or row.group_id is None:
        raise OrderNotFound(order_id)
    try:
        result = await looked_at(request, row, method)
    except PaymentTooLate as late:
        raise await with_other_groups(request, late) from None
    if isinstance(result, Approved):
        return await _place_as_it_is(request, row.group_id, payment_from(row), status)
    return _awaiting(await _view(request, row.group_id), payment_from(row), result.step)


async def looked_at(request: AnyRequest, row: NotedPayment, method: str | None) -> Approved | Awaited:
    """How a payment stands at its gateway; one whose request was lost on the way there is asked for once more."""
    checkout = runtime_of(request).checkout
    result = await checkout.look(row)
    if isinstance(result, Awaited) and result.step is None and checkout.may_ask_anew(row):
        return await checkout.authorise(payment_from(row), method)
    return result


async def _place_as_it_is(request: AnyRequest, group_id: UUID, payment: Payment, status: int) -> Answer:
    view = await _view(request, group_id)
    place = await runtime_of(request).places.find(payment.deal_id, group_id, payment.shopper_id)
    location = ((b"location", f"/v1/groups/{group_id}".encode()),) if status != 200 else ()
    return Answer(status, group_body(view, None if place is None else place_view(place, view)), location)


async def _view(request: AnyRequest, group_id: UUID) -> GroupView:
    view = await runtime_of(request).groups.get_fresh(group_id)
    if view is None:
        raise GroupNotFound(group_id)
    return view


def _reserved_or_taken(accepted: Accepted) -> Answer:
    """The answer a key is stored with: a reserved place's says which order to look at."""
    group, payment = accepted.state.group, accepted.state.awaited
    if group is None or payment is None:
        return taken_place(accepted)
    return _awaiting(group_view(group), payment, None)


def _awaiting(view: GroupView, payment: Payment, step: NextStep | None) -> Answer:
    place = reserved_view(payment, awaited_payment(payment, payment.terms.gateway, step))
    location = ((b"location", f"/v1/groups/{view.id}".encode()),)
    return Answer(ACCEPTED, group_body(view, place), location)
