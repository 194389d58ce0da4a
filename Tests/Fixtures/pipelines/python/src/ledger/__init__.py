"""Sums of a small ledger."""

from decimal import Decimal


def total(lines):
    """The sum of the amounts in lines of `name,amount`; blank lines mean nothing."""
    result = Decimal(0)
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line:
            continue
        parts = line.split(",")
        if len(parts) != 2:
            raise ValueError(f"line {number} is not name,amount")
        result += Decimal(parts[1])
    return result
