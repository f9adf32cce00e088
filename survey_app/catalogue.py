"""Translations of the site's own sentences, for what is written outside a request: files, posters, messages."""

from functools import partial
from pathlib import Path
from typing import Final

from analytics import languages

TRANSLATIONS: Final = Path(__file__).parent / "translations"

translator = partial(languages.translator, directory=TRANSLATIONS)
"""Return the function that translates the sentences of the site into a language."""
