"""What goes wrong with an expression."""

from __future__ import annotations


class ExpressionError(Exception):
    """Why an expression is not compiled, or has no value.

    * `InvalidExpressionError`: it cannot be read
    * `UnsupportedError`: it uses what this program does not know; another implementation may

      * `UnknownFunctionError`: a function that Kubernetes does not have, as far as is known here
    * `EvaluationError`: it has no value for these names

      * `NoSuchKeyError`: a field, key or entry is not there
      * `UndecidedError`: it needs what is not known here, such as the user of a request
    * `BudgetExceededError`: computing it takes too long
    """


class InvalidExpressionError(ExpressionError):
    """``offset`` is where in the expression, in characters."""

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class UnsupportedError(ExpressionError):
    """A function, a type or a size that this program does not know or take."""


class UnknownFunctionError(UnsupportedError):
    """A function, or a number of arguments, that no library of Kubernetes has."""


class EvaluationError(ExpressionError):
    """``&&``, ``||``, ``all`` and ``exists`` pass over it where another operand decides."""


class NoSuchKeyError(EvaluationError):
    """A field, key or entry that is not there."""


class UndecidedError(EvaluationError):
    """A name whose value is not known."""


class BudgetExceededError(ExpressionError):
    """Computing the value takes longer than allowed: never passed over."""
