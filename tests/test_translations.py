"""Translation files change by their sentences only."""

import shutil

from tests import translations
from tests.translations import REPOSITORY

OLD_DATE = "POT-Creation-Date: 2026-01-01 00:00+0000"
CATALOGUE = f"""msgid ""
msgstr ""
"Project-Id-Version: Jiayuan\\n"
"{OLD_DATE}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Rounds"
msgstr "轮次"

msgid "Gone"
msgstr "已删除"
"""


def test_collecting_sentences_adds_and_drops_them_and_keeps_the_date(tmp_path, monkeypatch):
    shutil.copy(REPOSITORY / "babel.cfg", tmp_path)
    monkeypatch.setattr(translations, "REPOSITORY", tmp_path)
    path = translations.catalogue_path("package")
    path.parent.mkdir(parents=True)
    path.write_text(CATALOGUE, "utf-8")
    (tmp_path / "package" / "page.py").write_text('_("Rounds")\n_("New")\n', "utf-8")

    translations.update("package")
    written = path.read_text("utf-8")
    translations.update("package")

    assert OLD_DATE in written
    assert 'msgstr "轮次"' in written
    assert 'msgid "New"\nmsgstr ""' in written
    assert "Gone" not in written
    assert path.read_text("utf-8") == written
