"""Checks from outside: one JSON object a line in, one a line out.

Each check is a function registered under its name; it takes the ``inputs`` as keyword arguments and returns
``(result, convention)``. Bad input raises ``ValueError`` whose message is one clear line that says what to do.
"""

import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

CHECKS: dict[str, Callable] = {}


def check(function: Callable) -> Callable:
    """Register ``function`` as the check of its own name."""
    CHECKS[function.__name__] = function
    return function


def plain(value):
    """``value`` as JSON can carry it: fractions and NumPy scalars become numbers, tuples lists, keys strings."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, Fraction):
        return float(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def answer(line: str) -> dict:
    """The answer to one line, as the dict that is printed."""
    try:
        request = json.loads(line)
    except json.JSONDecodeError as error:
        return {"check": None, "error": f"not a line of JSON: {error.msg} at column {error.colno}"}
    if not isinstance(request, dict) or not isinstance(request.get("check"), str):
        return {"check": None, "error": 'a line is {"check": NAME, "inputs": {...}}'}
    name, inputs = request["check"], request.get("inputs")
    if name not in CHECKS:
        return {"check": name, "error": f"no check named {name!r}; known: {', '.join(sorted(CHECKS))}"}
    if not isinstance(inputs, dict):
        return {"check": name, "error": '"inputs" is an object of named values'}
    function = CHECKS[name]
    try:
        bound = inspect.signature(function).bind(**inputs)
    except TypeError as error:
        return {"check": name, "error": f"{error}; it takes {inspect.signature(function)}"}
    try:
        result, convention = function(*bound.args, **bound.kwargs)
    except (ValueError, OverflowError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        text = " ".join(str(error).split())
        if isinstance(error, OverflowError):
            text = f"a figure is too large to compute with ({text}): give figures below 1e300"
        elif not isinstance(error, ValueError):
            text = f"{type(error).__name__}: {text}"
        return {"check": name, "error": text}
    return {"check": name, "result": plain(result), "convention": convention}


def answers(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line that is not blank."""
    for line in lines:
        if line.strip():
            yield json.dumps(answer(line), ensure_ascii=False, allow_nan=False)


from whichdata.checks import counts, survival, toolbox  # noqa: E402,F401  (each registers its checks)
