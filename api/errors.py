"""Refusals and faults as HTTP: the only module that knows both.

Each refusal has its own row, so that its `type` outlives any renaming of classes; a test misses no class.
"""

from http import HTTPStatus
from typing import Final

import asyncpg
import structlog
from litestar.exceptions import HTTPException
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.answers import Answer, Headers
from api.bodies import ClientGone
from api.pages.error_page import as_page
from api.problems import FieldError, ProblemType, problem_answer
from api.refused import (
    AccountNotFound,
    AddressNotFound,
    BodyTooLarge,
    BodyTooSlow,
    CodeNotSent,
    DeviceNotFound,
    EvidenceUsed,
    ForeignForm,
    FullAccountNeeded,
    MalformedJson,
    MerchantNotApproved,
    NoSuchGateway,
    NotAuthenticated,
    NothingHere,
    NotStaff,
    PermissionMissing,
    PersonNeeded,
    RateLimited,
    RefreshTokenRefused,
    RoleMissing,
    SessionNotFound,
    WrongCode,
    WrongContentType,
)
from api.request_ids import request_id_of
from api.requests import AnyRequest
from domain.errors import InvalidInput
from domain.groupbuy.errors import (
    AddressRequired,
    CrowdHasOneGroup,
    DealClosesTooSoon,
    DealNotEditable,
    DealNotFound,
    DealNotPublished,
    DealNotStarted,
    DealOver,
    DealPausedNow,
    DealTakesNoPayments,
    GroupClosed,
    GroupCommitted,
    GroupFull,
    GroupNotFound,
    GuestsMayNotBuy,
    InviteNotFound,
    InviteNotUsable,
    OrderNotFound,
    OrderNotPaid,
    OrderNotShippable,
    OrderNotShipped,
    OrderOver,
    OutOfStock,
    RefundTooLarge,
    TooManyLinks,
    UnitsLimitReached,
    VariantNotFound,
    VariantRequired,
    WrongCurrency,
    WrongReference,
)
from domain.identity.errors import (
    ApiKeyNotFound,
    LastOwner,
    MerchantNotFound,
    StaffInviteNotFound,
    StaffNotFound,
    StandingNotPossible,
    TooManyApiKeys,
    TooManyMerchants,
    TooManyStaff,
    TooManyStaffInvites,
)
from infra.batch import KeyReused
from infra.cards.drawing_turns import CannotDraw
from infra.database import has_run_too_long, is_connection_lost
from infra.identity.address_book import TooManyAddresses
from infra.identity.deletion import AccountStillNeeded
from infra.identity.fetching import ProviderUnavailable
from infra.identity.freshness import FreshSignInNeeded
from infra.identity.id_tokens import IdTokenRefused, ProviderNotOffered
from infra.identity.linking import IdentityNotFound, IdentityTaken, LastIdentity
from infra.identity.profiles import ChangedMeanwhile
from infra.identity.wechat import WeChatCodeRefused
from infra.ids import new_id
from infra.payments.checkout import PaymentDeclined, PaymentLapsed, PaymentTooLate
from infra.payments.port import GatewayRefused, GatewayUnavailable, WebhookRefused
from infra.sharing.wechat_js import WeChatAway
from infra.unavailable import DatabaseUnavailable, LimiterUnavailable, Overloaded, Unavailable

NO_ROUTE: Final = ProblemType(404, "no-such-route", "Nothing here")

PROBLEM_TYPES: Final[dict[type[Exception], ProblemType]] = {
    InvalidInput: ProblemType(422, "invalid-request", "Some fields are wrong"),
    VariantNotFound: ProblemType(422, "variant-not-found", "No such variant of this deal"),
    VariantRequired: ProblemType(422, "variant-required", "A variant must be chosen"),
    InviteNotUsable: ProblemType(422, "invite-not-usable", "The invite does not lead here"),
    AddressRequired: ProblemType(422, "address-required", "An address is needed"),
    WrongCurrency: ProblemType(422, "wrong-currency", "Not the currency of this order"),
    KeyReused: ProblemType(422, "idempotency-key-reused", "The idempotency key belongs to another request"),
    DealNotFound: ProblemType(404, "deal-not-found", "No such deal"),
    GroupNotFound: ProblemType(404, "group-not-found", "No such group"),
    InviteNotFound: ProblemType(404, "invite-not-found", "No such invite"),
    OrderNotFound: ProblemType(404, "order-not-found", "No such order"),
    TooManyLinks: ProblemType(409, "too-many-links", "Too many links into the group"),
    DealNotStarted: ProblemType(409, "deal-not-started", "The deal has not started"),
    DealPausedNow: ProblemType(409, "deal-paused", "The deal is paused"),
    DealOver: ProblemType(409, "deal-over", "The deal has ended"),
    DealNotPublished: ProblemType(409, "deal-not-published", "The deal is a draft"),
    DealNotEditable: ProblemType(409, "deal-not-editable", "The deal cannot be changed now"),
    DealClosesTooSoon: ProblemType(409, "deal-closes-too-soon", "Too late to open a group"),
    CrowdHasOneGroup: ProblemType(409, "crowd-has-one-group", "This deal has one group for everybody"),
    GroupFull: ProblemType(409, "group-full", "The group is full"),
    GroupClosed: ProblemType(409, "group-closed", "The group is closed"),
    GroupCommitted: ProblemType(409, "group-committed", "The group has tipped"),
    OutOfStock: ProblemType(409, "out-of-stock", "Not enough in stock"),
    UnitsLimitReached: ProblemType(409, "units-limit-reached", "Limit of units reached"),
    GuestsMayNotBuy: ProblemType(403, "guests-may-not-buy", "The deal is not for guests"),
    DealTakesNoPayments: ProblemType(409, "deal-takes-no-payments", "The deal takes no payments here"),
    OrderNotPaid: ProblemType(409, "order-not-paid", "The order is not paid"),
    OrderNotShippable: ProblemType(409, "order-not-shippable", "The order is past shipping"),
    OrderNotShipped: ProblemType(409, "order-not-shipped", "The order is not shipped"),
    OrderOver: ProblemType(409, "order-over", "The order is over"),
    RefundTooLarge: ProblemType(409, "refund-too-large", "More than can be refunded"),
    NotAuthenticated: ProblemType(401, "not-authenticated", "A valid access token is needed"),
    RoleMissing: ProblemType(403, "role-missing", "The caller has not the role"),
    PersonNeeded: ProblemType(403, "person-needed", "An API key cannot do this"),
    FullAccountNeeded: ProblemType(403, "full-account-needed", "A guest cannot do this"),
    MerchantNotFound: ProblemType(404, "merchant-not-found", "No such merchant"),
    StaffNotFound: ProblemType(404, "staff-not-found", "Nobody there of this id"),
    StaffInviteNotFound: ProblemType(404, "staff-invite-not-found", "No such open invite"),
    ApiKeyNotFound: ProblemType(404, "api-key-not-found", "No such API key"),
    StandingNotPossible: ProblemType(409, "standing-not-possible", "The merchant cannot come to stand there"),
    LastOwner: ProblemType(409, "last-owner", "The merchant would have no owner"),
    TooManyMerchants: ProblemType(409, "too-many-merchants", "Works for too many merchants"),
    TooManyStaff: ProblemType(409, "too-many-staff", "Too many people work there"),
    TooManyStaffInvites: ProblemType(409, "too-many-staff-invites", "Too many invites today"),
    TooManyApiKeys: ProblemType(409, "too-many-api-keys", "Too many API keys"),
    NotStaff: ProblemType(403, "not-staff", "The caller does not work for this merchant"),
    PermissionMissing: ProblemType(403, "permission-missing", "The caller has not the permission"),
    MerchantNotApproved: ProblemType(403, "merchant-not-approved", "The merchant may not sell"),
    WrongCode: ProblemType(403, "wrong-code", "The code is of no use"),
    IdTokenRefused: ProblemType(403, "id-token-refused", "The id_token is of no use"),
    WeChatCodeRefused: ProblemType(403, "wechat-code-refused", "The code is of no use at WeChat"),
    EvidenceUsed: ProblemType(403, "evidence-used", "It has been used before"),
    ProviderNotOffered: ProblemType(404, "provider-not-offered", "Nobody signs in with this provider here"),
    ProviderUnavailable: ProblemType(503, "provider-unavailable", "The provider cannot be asked"),
    WeChatAway: ProblemType(503, "wechat-unavailable", "WeChat cannot be asked"),
    IdentityTaken: ProblemType(409, "identity-taken", "Somebody else signs in with this"),
    LastIdentity: ProblemType(409, "last-identity", "The only way to sign in"),
    IdentityNotFound: ProblemType(404, "identity-not-found", "Not linked"),
    RefreshTokenRefused: ProblemType(403, "refresh-token-refused", "The refresh token is of no use"),
    CodeNotSent: ProblemType(503, "code-not-sent", "The code could not be sent"),
    NothingHere: NO_ROUTE,
    AccountNotFound: ProblemType(404, "account-not-found", "No account"),
    AddressNotFound: ProblemType(404, "address-not-found", "No such address"),
    DeviceNotFound: ProblemType(404, "device-not-found", "No such device"),
    TooManyAddresses: ProblemType(409, "too-many-addresses", "The address book is full"),
    FreshSignInNeeded: ProblemType(403, "fresh-sign-in-needed", "Sign in again first"),
    AccountStillNeeded: ProblemType(409, "account-still-needed", "The account is still needed"),
    ChangedMeanwhile: ProblemType(412, "changed-meanwhile", "It has changed meanwhile"),
    SessionNotFound: ProblemType(404, "session-not-found", "No such session"),
    RateLimited: ProblemType(429, "rate-limited", "Too many requests"),
    LimiterUnavailable: ProblemType(503, "limits-unavailable", "Signing in is not possible for the moment"),
    MalformedJson: ProblemType(400, "malformed-json", "The body is not JSON"),
    BodyTooLarge: ProblemType(413, "body-too-large", "The body is too large"),
    BodyTooSlow: ProblemType(408, "body-too-slow", "The body came too slowly"),
    ForeignForm: ProblemType(403, "foreign-form", "The form came from elsewhere"),
    WrongContentType: ProblemType(415, "wrong-content-type", "The body is of a type that is not read here"),
    PaymentDeclined: ProblemType(402, "payment-declined", "The payment was declined"),
    PaymentTooLate: ProblemType(409, "payment-too-late", "The payment came too late"),
    PaymentLapsed: ProblemType(409, "payment-lapsed", "The payment came to nothing"),
    NoSuchGateway: ProblemType(404, "no-such-gateway", "No such payment gateway"),
    WebhookRefused: ProblemType(403, "webhook-refused", "The webhook cannot be trusted"),
    GatewayRefused: ProblemType(409, "gateway-refused", "The payment gateway says no"),
    GatewayUnavailable: ProblemType(503, "gateway-unavailable", "The payment gateway cannot be reached"),
    CannotDraw: ProblemType(503, "cannot-draw", "The picture cannot be drawn now"),
    Overloaded: ProblemType(503, "overloaded", "Too busy"),
    DatabaseUnavailable: ProblemType(503, "database-unavailable", "The database cannot be reached"),
}

FRAMEWORK_PROBLEMS: Final[dict[int, tuple[ProblemType, str]]] = {
    400: (ProblemType(400, "bad-request", "The request cannot be read"), "The request is not well-formed HTTP."),
    404: (NO_ROUTE, str(NothingHere())),
    405: (
        ProblemType(405, "method-not-allowed", "The address does not know this method"),
        "Use one of the methods in the Allow header; see /schema.",
    ),
}

FAULT: Final = ProblemType(500, "internal-error", "A fault on our side")
FAULT_DETAIL: Final = "Something broke on our side and was logged under this instance. Try again in a moment."

GATEWAY_RETRY_AFTER_S: Final = 5

_OF_DATABASES: Final = (SQLAlchemyError, asyncpg.PostgresError, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


def answer_error(request: AnyRequest, error: Exception) -> Answer:
    """The problem details, or a page, for anything a handler, or the framework before it, raised."""
    return as_page(request, _answer(request, error))


def _answer(request: AnyRequest, error: Exception) -> Answer:
    if isinstance(error, HTTPException):
        return _framework_answer(request, error)
    error = _unavailable(error) or error
    kind = _kind(error)
    if kind is None:
        return problem_answer(*FRAMEWORK_PROBLEMS[400]) if isinstance(error, ClientGone) else _fault(request, error)
    groups = error.joinable_groups if isinstance(error, PaymentTooLate) else None
    needs = error.needs if isinstance(error, AccountStillNeeded) else None
    return problem_answer(
        kind, str(error), errors=_fields(error), joinable_groups=groups, needed_for=needs, headers=_headers(error)
    )


def _kind(error: Exception) -> ProblemType | None:
    return next((PROBLEM_TYPES[cause] for cause in type(error).__mro__ if cause in PROBLEM_TYPES), None)


def _fields(error: Exception) -> list[FieldError]:
    if isinstance(error, InvalidInput):
        return [FieldError(problem.field, problem.message) for problem in error.problems]
    if isinstance(error, WrongReference):
        return [FieldError(error.field, str(error))]
    return []


def _headers(error: Exception) -> Headers:
    if isinstance(error, NotAuthenticated):
        because = f', error="invalid_token", error_description="{error.reason}"' if error.reason else ""
        return ((b"www-authenticate", f'Bearer realm="tuan"{because}'.encode("ascii", "replace")),)
    if isinstance(error, GatewayUnavailable):
        return ((b"retry-after", str(GATEWAY_RETRY_AFTER_S).encode()),)
    if isinstance(error, Unavailable | CodeNotSent | RateLimited | ProviderUnavailable | WeChatAway):
        return ((b"retry-after", str(error.retry_after_s).encode()),)
    return ()


def _framework_answer(request: AnyRequest, error: HTTPException) -> Answer:
    """The framework's own refusals, in our words: it knows only that a request does not fit its routes."""
    known = FRAMEWORK_PROBLEMS.get(error.status_code)
    if known is None:
        if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _fault(request, error)
        known = FRAMEWORK_PROBLEMS[400]
    headers = [
        (name.lower().encode(), value.encode())
        for name, value in (error.headers or {}).items()
        if name.lower() == "allow"
    ]
    return problem_answer(*known, headers=headers)


def _unavailable(error: Exception) -> Unavailable | None:
    """What a read of the database raises when it is away or too busy."""
    if isinstance(error, PoolTimeout) or has_run_too_long(error):
        return Overloaded()
    if isinstance(error, _OF_DATABASES) and is_connection_lost(error):
        return DatabaseUnavailable()
    return None


def _fault(request: AnyRequest, error: Exception) -> Answer:
    """An error nobody foresaw: the trace goes to the log once, nothing of it to the caller."""
    instance = f"urn:uuid:{new_id()}"
    _log.error(
        "request_failed",
        instance=instance,
        request_id=request_id_of(request.scope),
        method=request.scope["method"],
        path=request.scope["path"],
        exc_info=error,
    )
    return problem_answer(FAULT, FAULT_DETAIL, instance=instance)
