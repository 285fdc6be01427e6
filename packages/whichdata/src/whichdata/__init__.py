"""Which data could have printed these figures?

The names below are the entrance; each is loaded with its module when it is first used. Every check of the command line
is answered by :func:`answer`.
"""

from importlib import import_module

__version__ = "0.1.0"

_MODULES = {
    "printed": ("Interval", "Printed"),
    "proportions": ("count_prints", "possible_counts", "possible_denominators", "proportion_intervals"),
    "tables2x2": ("tests_2x2",),
    "effects": ("effect_box",),
    "ranks": ("mann_whitney",),
    "rank_sets": ("Group", "feasible_ranks"),
    "survival": ("kaplan_meier",),
    "compare": ("log_rank",),
    "summaries": (
        "AtRisk", "DataSet", "EventTimes", "Events", "KMMedian", "Median", "NoCensoring", "Range", "SurvivalAt",
        "Within",
    ),
    "feasible": ("FeasibleSet",),
    "pairs": ("TwoGroups",),
    "checks": ("CHECKS", "answer", "answers"),
}  # fmt: skip
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ["__version__"]
__all__ += list(_HOME)


def __getattr__(name: str):
    # scipy.stats alone takes a second to load: whoever reads one printed number should not wait for it
    if name not in _HOME:
        raise AttributeError(f"module 'whichdata' has no attribute {name!r}")
    return getattr(import_module(f"whichdata.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
