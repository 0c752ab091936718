"""The sandbox: a payment gateway that behaves like a provider and keeps its own books in its own tables.

It never reads a table of ours, takes no part in our transactions, and tells of changes by webhooks as others do.
"""

from infra.payments.sandbox.gateway import SandboxGateway

__all__ = ["SandboxGateway"]
