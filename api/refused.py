"""What the API itself says no to, before any rule of group buying is asked.

ApiRefusal
├── NotAuthenticated     no token, or one that proves nothing
├── RoleMissing          a good token of somebody who may not do this
├── MalformedJson        the body is not JSON
├── BodyTooLarge         the body is longer than may be sent here
├── BodyTooSlow          the body did not come in time
├── WrongContentType     the body is said to be something that is not read here
└── NoSuchGateway        a webhook for a payment gateway that is not used here
"""


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


class NoSuchGateway(ApiRefusal):
    """No payment gateway of that name is used here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No payment gateway called {name[:40]!r} is used here.")
