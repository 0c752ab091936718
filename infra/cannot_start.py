"""Why a command of `tuan` may not start; each is one clear line for a person and exit status 2.

CannotStart
├── WrongSetting         an environment variable that cannot be meant
├── AlreadyRunning       another `tuan run` holds the data directory
├── PortBusy             somebody else listens where the API should
├── ServerMissing        PostgreSQL or Redis does not answer
├── NotMigrated          the database is older or newer than this program
├── EmbeddedServerBroken a private server does not come up
└── BadKey               no key pair to sign or verify access tokens with
"""


class CannotStart(Exception):  # noqa: N818  these are reasons, not faults of the program
    """A line that says what is wrong and what to do next."""


class WrongSetting(CannotStart):
    """An environment variable that cannot be meant: its name, its value and what is accepted."""


class AlreadyRunning(CannotStart):
    """Another `tuan run` holds the data directory."""


class PortBusy(CannotStart):
    """Somebody else listens where the API should."""


class ServerMissing(CannotStart):
    """PostgreSQL or Redis does not answer."""


class NotMigrated(CannotStart):
    """The tables in the database are not those of this program."""


class EmbeddedServerBroken(CannotStart):
    """A private server does not come up."""


class BadKey(CannotStart):
    """No key pair to sign or verify access tokens with."""
