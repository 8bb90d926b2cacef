"""Every fuzzing target by its name."""

from tests.fuzz.documents import DOCUMENTS
from tests.fuzz.requests import REQUESTS
from tests.fuzz.texts import TEXTS

TARGETS = {target.name: target for target in (*REQUESTS, *DOCUMENTS, *TEXTS)}
