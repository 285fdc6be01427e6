"""Hypothesis profiles: 500 draws for every test run, 10,000 for the nightly one (HYPOTHESIS_PROFILE=nightly)."""

import os

# Before NumPy is loaded: the tests run side by side already, and threads that wait for each other made small
# optimisations some twenty times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile("default", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("default"), max_examples=10_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
