"""Who acts in a replay: one merchant and the log's users, new people in every run."""

import uuid

from infra.settings import Settings
from infra.tokens import TokenIssuer

TOKEN_LIFETIME_S = 24 * 3600


class Cast:
    """Ids made of the run's own id and the log's numbers, and an access token for each, signed when first needed."""

    def __init__(self, settings: Settings, run_id: uuid.UUID) -> None:
        self.run_id = run_id
        self._issuer = TokenIssuer(settings)
        self._tokens: dict[int, str] = {}
        self._merchant = uuid.uuid5(run_id, "merchant")
        self.merchant_token = self._issuer.issue(self._merchant, frozenset({"merchant"}), TOKEN_LIFETIME_S)

    def shopper_id(self, number: int) -> uuid.UUID:
        return uuid.uuid5(self.run_id, f"shopper {number}")

    def name(self, number: int) -> str:
        """What a shopper is called."""
        return f"User {number}"

    def token(self, number: int) -> str:
        """The access token of a shopper."""
        token = self._tokens.get(number)
        if token is None:
            token = self._issuer.issue(
                self.shopper_id(number), frozenset({"shopper"}), TOKEN_LIFETIME_S, self.name(number)
            )
            self._tokens[number] = token
        return token
