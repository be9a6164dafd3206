"""Which help article explains an error: ``articles.json``, code to ``number#id``."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final


def _read() -> Mapping[str, str]:
    path = Path(__file__).resolve().parent / "articles.json"
    return MappingProxyType(json.loads(path.read_text("utf-8")))


ARTICLES: Final = _read()
"""Every code of the portal and of the phone app."""
