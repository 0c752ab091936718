"""Why a figure could not be measured: one clear line, and exit status 2."""


class CannotMeasure(Exception):  # noqa: N818  a reason, not a fault of the program
    """Something needed is missing, or did not answer as the measurement needs; says what, and what to do."""
