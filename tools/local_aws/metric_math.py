"""Evaluates metric math as far as alarms use it: numbers, series, `-`, and `FILL(series, number)`. Pure.

See "Using math expressions with CloudWatch metrics": an operation of two series has a datapoint only where both have.
"""

import ast
from collections.abc import Mapping, Sequence
from datetime import datetime

Series = Mapping[datetime, float]
"""Values by the start of their period."""


def evaluate(expression: str, series: Mapping[str, Series], periods: Sequence[datetime]) -> Series:
    """The series of an expression.

    Args:
        expression: in CloudWatch's syntax.
        series: by the id that the expression uses.
        periods: those that are evaluated; a number, and a filled series, has a value in each.

    Raises:
        NotImplementedError: the expression uses something else.
    """

    def value(node: ast.expr) -> Series:
        match node:
            case ast.Constant(value=int() | float() as number):
                return dict.fromkeys(periods, float(number))
            case ast.Name(id=name) if name in series:
                return series[name]
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                one, other = value(left), value(right)
                return {at: one[at] - other[at] for at in one if at in other}
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() | float() as number)]):
                return dict.fromkeys(periods, float(number)) | dict(value(filled))
        raise NotImplementedError(f"the local CloudWatch does not know {ast.unparse(node)!r} in {expression!r}")

    return value(ast.parse(expression, mode="eval").body)
