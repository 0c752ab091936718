"""The API with a town of people who open links."""

from tests.api.conftest import app, client, runtime, town

__all__ = ["app", "client", "runtime", "town"]
