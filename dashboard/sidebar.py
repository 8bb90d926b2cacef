"""The frame around every page: the way from page to page, and the one bar of filters.

The address is the state. Controls are set from it before they are drawn, and what a reader changes
is written back to it, so a link always says what is seen.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import filters as choices
from dashboard import warehouse, words
from dashboard.filters import Calendar, Filters
from pipeline.schema import TRAFFIC


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the navigation."""

    page: Any  # what st.Page made
    title: str
    icon: str


def navigation(entries: list[Entry], filters: Filters) -> None:
    """Links to every page that carry the choice along."""
    address = choices.format_address(filters)
    with st.sidebar:
        for entry in entries:
            st.page_link(
                entry.page,
                label=entry.title,
                icon=entry.icon,
                width="stretch",
                query_params=address,
            )


def current() -> Filters:
    """What the address asks for."""
    params = st.query_params
    address = {key: params.get_all(key) for key in choices.KEYS}
    return choices.parse(address, warehouse.calendar())


def bar(filters: Filters) -> None:
    """Draw the filters. A change is in the address before the page is drawn again."""
    calendar = warehouse.calendar()
    names = warehouse.package_names()
    # A link may name a package that is gone; it stays selected, so that it can be seen and removed.
    options = [*names, *(name for name in filters.packages if name not in names)]
    _set_controls(filters)
    with st.container(key="filters", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.segmented_control(
            "Period",
            list(words.PRESET_WORDS),
            format_func=words.PRESET_WORDS.__getitem__,
            key="control_preset",
            label_visibility="collapsed",
            on_change=_preset_chosen,
            args=(calendar,),
        )
        with st.popover(words.span(filters.start, filters.end), icon=":material/calendar_month:"):
            for label, key in (("First day (UTC)", "from"), ("Last day (UTC)", "to")):
                st.date_input(
                    label,
                    key=f"control_{key}",
                    min_value=min(calendar.earliest, filters.start),
                    max_value=max(calendar.today, filters.end),
                    format="YYYY-MM-DD",
                    on_change=_days_chosen,
                    args=(calendar,),
                )
        st.multiselect(
            "Packages",
            options,
            format_func=lambda key: names.get(key, key),
            key="control_packages",
            placeholder="All packages",
            label_visibility="collapsed",
            on_change=_rest_chosen,
            args=(calendar,),
            width=210,
        )
        with st.popover(_traffic_label(filters), icon=":material/filter_list:"):
            st.pills(
                "Kinds of traffic",
                TRAFFIC,
                selection_mode="multi",
                format_func=lambda kind: words.TRAFFIC_WORDS[kind],
                key="control_traffic",
                on_change=_rest_chosen,
                args=(calendar,),
            )
            st.toggle(
                "Counted installs only",
                key="control_counted",
                help="Off: every request for a package is shown, also version checks, resumed "
                "parts, indexes and repeats, which are no installs.",
                on_change=_rest_chosen,
                args=(calendar,),
            )


def _traffic_label(filters: Filters) -> str:
    shown = words.listing([words.TRAFFIC_WORDS[kind] for kind in filters.traffic])
    kinds = "All traffic" if not filters.hidden else shown[0].upper() + shown[1:]
    return kinds if filters.counted else f"{kinds}, every request"


def _set_controls(filters: Filters) -> None:
    state = st.session_state
    state.control_preset = filters.preset
    state.control_from, state.control_to = filters.start, filters.end
    state.control_packages = list(filters.packages)
    state.control_traffic = list(filters.traffic)
    state.control_counted = filters.counted


def _preset_chosen(calendar: Calendar) -> None:
    preset = st.session_state.control_preset
    if preset is None:  # the chosen one was clicked again
        return
    address = _without("period", "from", "to")
    _go(choices.parse({**address, "period": [preset]}, calendar))


def _days_chosen(calendar: Calendar) -> None:
    first, last = st.session_state.control_from, st.session_state.control_to
    if not isinstance(first, dt.date) or not isinstance(last, dt.date):
        return
    days = {"from": [first.isoformat()], "to": [last.isoformat()]}
    _go(choices.parse({**_without("period", "from", "to"), **days}, calendar))


def _rest_chosen(calendar: Calendar) -> None:
    state = st.session_state
    address = _without("package", "traffic", "counted") | {
        "package": list(state.control_packages),
        "traffic": list(state.control_traffic or ()),
        "counted": [] if state.control_counted else ["all"],
    }
    _go(choices.parse(address, calendar))


def _without(*keys: str) -> dict[str, list[str]]:
    params = st.query_params
    return {key: params.get_all(key) for key in choices.KEYS if key not in keys}


def _go(filters: Filters) -> None:
    params = st.query_params
    own = {key: params.get_all(key) for key in params if key not in choices.KEYS}
    params.from_dict({**own, **choices.format_address(filters)})
