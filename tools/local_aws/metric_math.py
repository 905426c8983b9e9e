"""Metric math of an alarm, as far as alarms here use it: numbers, series, `+ - * /`, and `FILL(series, number)`.

See "Using math expressions with CloudWatch metrics": an operation of two series has a datapoint only where both have.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import add, mul, sub, truediv
from typing import Final

Series = Mapping[datetime, float]
"""Values by the start of their period."""

OPERATORS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.Div: truediv,
}


def evaluate(expression: str, series: Mapping[str, Series], periods: Sequence[datetime]) -> Series:
    """The series that an expression makes of others.

    Args:
        expression: in CloudWatch's words.
        series: by the id that the expression names them with.
        periods: those that are evaluated; a number, and what FILL fills, is there in each.

    Raises:
        NotImplementedError: the expression uses what is not known here.
    """

    def value(node: ast.expr) -> Series:
        match node:
            case ast.Constant(value=int() | float() as number):
                return dict.fromkeys(periods, float(number))
            case ast.Name(id=name) if name in series:
                return series[name]
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                one, other = value(left), value(right)
                return {at: OPERATORS[type(operator)](one[at], other[at]) for at in one if at in other}
            case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() | float() as number)]):
                return dict.fromkeys(periods, float(number)) | dict(value(filled))
        raise NotImplementedError(f"the local CloudWatch does not know {ast.unparse(node)!r} in {expression!r}")

    return value(ast.parse(expression, mode="eval").body)
