"""Why a command may go unanswered for now; the caller may try again."""


class Unavailable(Exception):  # noqa: N818 - the word callers use
    """The command cannot be handled now; nothing is wrong with it."""

    retry_after_s = 1


class Overloaded(Unavailable):
    """More commands wait than this process will keep, or it is stopping; nothing was done."""

    def __init__(self) -> None:
        super().__init__("Too many requests are waiting. Try again in a moment.")


class DatabaseUnavailable(Unavailable):
    """PostgreSQL gave no answer; the command may or may not have taken effect, and trying again is safe."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("The database cannot be reached. Trying again is safe: a repeated request has one effect.")


class LimiterUnavailable(Unavailable):
    """Nobody knows how often this was tried, so it is not done; nothing was done."""

    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("Signing in is not possible for the moment. Try again in a few seconds.")
