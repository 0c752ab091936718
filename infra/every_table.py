"""The metadata with every table in it, whichever module declares it."""

import infra.tables_identity
import infra.tables_merchants
import infra.tables_money
import infra.tables_notices
import infra.tables_sandbox
import infra.tables_sharing  # noqa: F401 - their tables belong to the metadata too
from infra.tables import metadata

__all__ = ("metadata",)
