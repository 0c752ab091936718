"""Providers that sign people in by id_token (OpenID Connect Core 1.0): their names and where their keys are.

- Apple: https://developer.apple.com/documentation/signinwithapple/verifying-a-user
- Google: https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
- Facebook Limited Login: https://developers.facebook.com/docs/facebook-login/limited-login/token
"""

from typing import Final, NamedTuple

from infra.identity.accounts import Provider
from infra.identity.fetching import refuse_in_the_clear
from infra.settings import Settings


class OpenIdProvider(NamedTuple):
    """What is fixed about a provider; `iss` may be any of `issuers`, `alg` any of `algorithms`."""

    issuers: tuple[str, ...]
    jwks_url: str
    algorithms: tuple[str, ...]


PROVIDERS: Final = {
    Provider.APPLE: OpenIdProvider(
        ("https://appleid.apple.com",), "https://appleid.apple.com/auth/keys", ("RS256", "ES256")
    ),
    Provider.GOOGLE: OpenIdProvider(
        ("https://accounts.google.com", "accounts.google.com"),
        "https://www.googleapis.com/oauth2/v3/certs",
        ("RS256", "ES256"),
    ),
    Provider.FACEBOOK: OpenIdProvider(
        ("https://www.facebook.com", "https://facebook.com", "https://limited.facebook.com"),
        "https://limited.facebook.com/.well-known/oauth/openid/jwks/",
        ("RS256",),
    ),
}


def provider_facts(settings: Settings, provider: Provider) -> OpenIdProvider:
    """The facts of a provider; with a stand-in it is that, `{base}/{provider}`, and nobody else."""
    facts = PROVIDERS[provider]
    if not settings.openid_base:
        return facts
    refuse_in_the_clear("TUAN_OPENID_BASE", settings.openid_base)
    issuer = f"{settings.openid_base.rstrip('/')}/{provider}"
    return facts._replace(issuers=(issuer,), jwks_url=f"{issuer}/jwks")


def client_ids(settings: Settings, provider: Provider) -> frozenset[str]:
    """Who tokens of a provider must be meant for: our apps there; none where the provider is not offered."""
    return frozenset(
        {
            Provider.APPLE: settings.apple_client_ids,
            Provider.GOOGLE: settings.google_client_ids,
            Provider.FACEBOOK: settings.facebook_app_ids,
        }[provider]
    )
