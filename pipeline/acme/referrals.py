"""Where the visitors of Acme's pages come from."""

from typing import Final

import numpy as np

from pipeline.acme.people import Texts
from pipeline.acme.story import days_since_launch
from pipeline.acme.visits import Visits, pick

SITE: Final = "https://docs.acme.example"

_REFERRERS: Final[tuple[tuple[float, str | None], ...]] = (
    (16, "https://www.google.com/"),
    (5, "https://duckduckgo.com/"),
    (4, "https://www.bing.com/"),
    (14, "https://github.com/acme/rocket"),
    (3, "https://github.com/acme/rocket/releases"),
    (12, f"{SITE}/install"),
    (9, f"{SITE}/quickstart"),
    (3, "https://hub.docker.com/r/acme/rocket"),
    (3, "https://stackoverflow.com/questions/tagged/rocket"),
    (3, "https://www.reddit.com/r/devops/"),
    (2, "https://dev.to/"),
    (2, "https://www.linkedin.com/"),
    (2, "https://t.co/"),
    (1, "https://medium.com/"),
    (1, "https://chatgpt.com/"),
    (14, None),
)
_NEWS: Final[tuple[tuple[float, str | None], ...]] = (
    (60, "https://news.ycombinator.com/"),
    (9, "https://www.reddit.com/r/programming/"),
    (8, "https://lobste.rs/"),
    (6, "https://t.co/"),
    (5, "https://www.linkedin.com/"),
)


def referrers_of(visits: Visits) -> Texts:
    """Where each visit comes from; after a launch mostly from the news."""
    usual = pick(visits, _REFERRERS)
    news = pick(visits, _NEWS)
    fresh = 0.72 * np.exp(-days_since_launch(visits.day) / 2.0)
    return np.where(visits.draw() < fresh, news, usual)
