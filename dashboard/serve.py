"""Start the web pages: Streamlit with our settings, in this process.

What never changes (theme, no usage statistics, no file watcher) stands in `.streamlit/config.toml`
beside the app; what an operator chooses comes from here.
"""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamlit.web import cli

APP: Final = Path(__file__).with_name("app.py")


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """Where the pages find their data, and where readers find the pages."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8501
    api: str = "http://127.0.0.1:8090"  # base URL of the API, for the commands that a page shows


def serve(config: ServeConfig) -> None:
    """Serve until SIGTERM or SIGINT, then return."""
    # Else the first reader waits for these imports.
    for module in ("duckdb", "plotly.graph_objects", "polars", "pandas"):
        importlib.import_module(module)
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
    arguments = ["--data", str(config.data), "--api", config.api]
    cli.main(["run", str(APP), *flags, "--", *arguments], standalone_mode=False)
