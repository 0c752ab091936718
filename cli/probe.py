"""Asking a running API whether it is ready."""

import http.client

from infra.settings import Settings

ANSWER_LIMIT_S = 2
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where an API on all addresses is reached from here


def own_address(settings: Settings) -> str:
    """The API's address as seen from this machine."""
    host = _ANYWHERE.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def is_ready(settings: Settings) -> bool:
    host = _ANYWHERE.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=ANSWER_LIMIT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
