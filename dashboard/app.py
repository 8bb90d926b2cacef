"""The dashboard's frame: what every page has. Started by `dashboard.serve`."""

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
# Streamlit puts this folder on the path, and the imports below start one higher.
if str(HERE.parent) not in sys.path:
    sys.path.append(str(HERE.parent))

from dashboard import sidebar, warehouse  # noqa: E402  after the path
from dashboard.sidebar import Entry  # noqa: E402

PAGES = (
    ("overview", "Overview", ":material/monitoring:"),
    ("companies", "Companies", ":material/apartment:"),
    ("locations", "Locations", ":material/public:"),
    ("runtimes", "Runtimes", ":material/terminal:"),
    ("referrers", "Referrers", ":material/share:"),
    ("versions", "Versions", ":material/layers:"),
    ("explore", "Explore", ":material/database:"),
    ("export", "Export", ":material/download:"),
)

st.set_page_config(page_title="Footfall", page_icon=HERE / "static" / "favicon.svg", layout="wide")
st.html(HERE / "style.css")
st.logo(HERE / "static" / "logo.svg", icon_image=HERE / "static" / "favicon.svg", size="large")

entries = [
    Entry(
        st.Page(f"views/{name}.py", title=title, icon=icon, default=name == "overview"), title, icon
    )
    for name, title, icon in PAGES
]
page = st.navigation([entry.page for entry in entries], position="hidden")

with warehouse.failures_in_words():
    filters = sidebar.current()
    sidebar.navigation(entries, filters)
    if warehouse.holds_demo():
        st.warning(
            "These are demo numbers, made up to look around. "
            f"`python -m pipeline purge --demo --data {warehouse.root()}` removes them.",
            icon=":material/science:",
        )
    page.run()
