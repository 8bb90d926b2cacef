"""What every room's tests share: how long Hypothesis may take, and a home without surprises."""

import os

from hypothesis import HealthCheck, settings

# Shared machines pause for longer than the default deadline; speed is what benchmarks are for.
settings.register_profile(
    "footfall", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("footfall")

# Settings of the machine must not change what a test starts.
for name in [name for name in os.environ if name.startswith("FOOTFALL_")]:
    del os.environ[name]
