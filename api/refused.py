"""What the API itself says no to, before any rule of group buying is asked.

ApiRefusal
├── NotAuthenticated     no token, or one that proves nothing
├── RoleMissing          a good token of somebody who may not do this
├── PersonNeeded         an API key where only a person may act
├── FullAccountNeeded    a guest where somebody must be known
├── NotStaff             somebody who does not work for the merchant they name
├── PermissionMissing    staff, or a key, whose role or scopes do not cover this
├── MerchantNotApproved  a merchant who may not sell, now or yet
├── WrongCode            a one-time code that is wrong, too late or tried too often
├── EvidenceUsed         an id_token or a code that has been used before
├── RefreshTokenRefused  a refresh token that is of no use
├── CodeNotSent          the message with a code could not be handed over
├── NothingHere          an address where there is nothing while Tuan is set up as it is
├── SessionNotFound      no session of the caller's
├── AccountNotFound      a token of no account, as from the command line
├── AddressNotFound      no address of the caller's
├── DeviceNotFound       no device of the caller's
├── RateLimited          more requests than this account, address or number may send
├── MalformedJson        the body is not JSON
├── BodyTooLarge         the body is longer than may be sent here
├── BodyTooSlow          the body did not come in time
├── WrongContentType     the body is said to be something that is not read here
├── ForeignForm          a form of a page that a page of another site sent, or nobody says which
└── NoSuchGateway        a webhook for a payment gateway that is not used here
"""

from uuid import UUID

from domain.identity.limits import Whose
from domain.identity.permissions import Permission, Standing
from infra.limits.window import Allowance


class ApiRefusal(Exception):  # noqa: N818 - refusals are named after what happened, here as in the domain
    """A request that never becomes a command; `str()` of it is a sentence a person can act on."""


class NotAuthenticated(ApiRefusal):
    """Nobody is known to ask; `reason` says what is wrong with the token, if one was sent."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason
        super().__init__(
            f"The access token was refused: {reason}. Get a new one."
            if reason
            else "Send an access token: Authorization: Bearer <token>."
        )


class RoleMissing(ApiRefusal):
    """The caller is known and has not the role this asks for."""

    def __init__(self, role: str) -> None:
        super().__init__(f"This needs a {role}'s access token; yours has not the role {role}.")


class PersonNeeded(ApiRefusal):
    """An API key asks for what only somebody who signed in may do."""

    def __init__(self) -> None:
        super().__init__("An API key cannot do this. Sign in at POST /v1/sign-in/codes.")


class FullAccountNeeded(ApiRefusal):
    """A guest asks for what only somebody we can reach may do."""

    def __init__(self) -> None:
        super().__init__("A guest cannot do this. Sign in with a phone number or an e-mail address first.")


class NotStaff(ApiRefusal):
    """The caller works for other merchants than the one named."""

    def __init__(self, merchant_id: UUID) -> None:
        super().__init__(f"You do not work for a merchant {merchant_id}. See GET /v1/me for those you do.")


class PermissionMissing(ApiRefusal):
    """The caller works for the merchant, in a role without this."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"This needs the permission {permission}. Ask an owner for a role, or a key, that has it.")


class MerchantNotApproved(ApiRefusal):
    """The merchant may not sell, now or yet."""

    def __init__(self, standing: Standing) -> None:
        why = {
            Standing.APPLIED: "The application has not been decided yet.",
            Standing.REFUSED: "The application was refused.",
            Standing.SUSPENDED: "The platform has suspended this merchant: what is owed to shoppers can still be done.",
        }
        super().__init__(why.get(standing, "This merchant may not sell here."))


class WrongCode(ApiRefusal):
    """The code is not the one that was sent last, or is good no more; which of these is not said."""

    def __init__(self) -> None:
        super().__init__("This code is wrong, too old, or was tried too often. Ask for a new one.")


class EvidenceUsed(ApiRefusal):
    """What was shown was good, and has been used before."""

    def __init__(self) -> None:
        super().__init__("This has been used to sign in before, and is good for once. Ask the provider for a new one.")


class RefreshTokenRefused(ApiRefusal):
    """The refresh token is unknown, spent or of a session that has ended."""

    def __init__(self) -> None:
        super().__init__("This refresh token is of no use any more. Sign in again.")


class CodeNotSent(ApiRefusal):
    """The code could not be handed over to whoever carries it."""

    retry_after_s = 10

    def __init__(self) -> None:
        super().__init__("The code could not be sent. Ask for another one in a moment.")


class NothingHere(ApiRefusal):
    """Nothing is at this address as Tuan is set up here: the same words as for any other where nothing is."""

    def __init__(self) -> None:
        super().__init__("There is nothing at this address; see /schema.")


class SessionNotFound(ApiRefusal):
    """The caller has no such session."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"You have no session {session_id}. See GET /v1/me/sessions.")


class AccountNotFound(ApiRefusal):
    """The token is good and of nobody who signed in here."""

    def __init__(self) -> None:
        super().__init__("There is no account behind this token. Sign in at POST /v1/sign-in/codes.")


class RateLimited(ApiRefusal):
    """The window is used up; nothing was done and this request was not counted."""

    def __init__(self, exhausted: Allowance) -> None:
        policy, self.retry_after_s = exhausted.policy, exhausted.more_in_s
        for_whom = {
            Whose.ACCOUNT: "your account",
            Whose.ADDRESS: "your network address",
            Whose.RECIPIENT: "this number or address",
            Whose.PAIR: "this number or address from your network address",
            Whose.PREFIX: "numbers like this one",
        }[policy.whose]
        super().__init__(
            f"Too many requests for {for_whom}: at most {policy.quota} in {policy.window_s} seconds ({policy.name}). "
            f"Try again in {self.retry_after_s} seconds."
        )


class AddressNotFound(ApiRefusal):
    """The caller has no such address."""

    def __init__(self, address_id: UUID) -> None:
        super().__init__(f"You have no address {address_id}. See GET /v1/me/addresses.")


class DeviceNotFound(ApiRefusal):
    """The caller has no such device."""

    def __init__(self, device_id: UUID) -> None:
        super().__init__(f"You have no device {device_id}. See GET /v1/me/devices.")


class MalformedJson(ApiRefusal):
    """The body cannot be read as JSON."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The body is not JSON in UTF-8: {why}.")


class BodyTooLarge(ApiRefusal):
    """The body is longer than any request needs."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"The body may have at most {bytes_max} bytes.")


class BodyTooSlow(ApiRefusal):
    """The rest of the body did not come: a caller that is gone must not hold up the end of the process."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"The whole body must come within {wait_s:g} seconds of its head. Send the request again.")


class WrongContentType(ApiRefusal):
    """The body is declared as something that is not read here."""

    def __init__(self, *taken: str) -> None:
        super().__init__(f"Send the body as {' or '.join(taken or ['application/json'])} and say so in Content-Type.")


class ForeignForm(ApiRefusal):
    """A form was not sent by a page of ours."""

    def __init__(self) -> None:
        super().__init__("This form did not come from a page of this site. Load the page again and send it from there.")


class NoSuchGateway(ApiRefusal):
    """No payment gateway of that name is used here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No payment gateway called {name[:40]!r} is used here.")
