"""Settings do not change once they are read."""

from pathlib import Path

import pytest

from dashboard.config import ApiConfig, ServeConfig


@pytest.mark.parametrize(
    "config",
    [
        ServeConfig(data=Path("lake"), host="127.0.0.1", port=8501, api="http://127.0.0.1:8090"),
        ApiConfig(data=Path("lake"), host="127.0.0.1", port=8090, tokens=Path("tokens.toml")),
    ],
    ids=["serve", "api"],
)
def test_a_config_is_frozen(config: ServeConfig | ApiConfig) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        config.port = 1  # type: ignore[misc]  # that is the point
