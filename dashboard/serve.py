"""Start the web pages: Streamlit with our settings, in this process.

What never changes (theme, no usage statistics, no file watcher) stands in `.streamlit/config.toml`
beside the app; what an operator chooses comes from here.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from streamlit.web import cli

from dashboard import explore, lake
from dashboard.config import ServeConfig

APP: Final = Path(__file__).with_name("app.py")


def serve(config: ServeConfig) -> None:
    """Serve until SIGTERM or SIGINT, then return."""
    # Streamlit handles signals some time after it listens; until then they end the process cleanly.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    # Else the first reader waits for these imports.
    for module in ("duckdb", "plotly.graph_objects", "polars", "pandas"):
        importlib.import_module(module)
    explore.warm()
    lake.warm(str(config.data))
    # Streamlit puts the app's own folder on the path; the pages import from the folder above it.
    root = str(APP.parents[1])
    if root not in sys.path:
        sys.path.append(root)
    settings = {
        "server.address": config.host,
        "server.port": str(config.port),
        "server.headless": "true",
    }
    flags = [part for key, value in settings.items() for part in (f"--{key}", value)]
    # What follows the two dashes is the app's: see warehouse.settings.
    arguments = ["--data", str(config.data), "--api", config.api]
    cli.main(["run", str(APP), *flags, "--", *arguments], standalone_mode=False)


def _end(_number: int, _frame: FrameType | None) -> None:
    # Not by an exception: it would come up in the middle of whatever is being started.
    os._exit(0)
