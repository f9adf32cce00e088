from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_app.alert_channels import WebChannel
from survey_app.config import (
    Config,
    InvalidSetting,
    NoPhoneCanOpen,
    checked_public_url,
    is_host,
    sqlite_url,
    url_of_host,
)
from survey_app.storage.database import Database

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=4))
def test_a_path_is_the_same_after_it_stood_in_an_address_whatever_it_holds(names):
    path = Path("/", *names)

    assert Database(sqlite_url(path)).url.database == str(path)


@pytest.mark.parametrize("folder", ["空 格#%3f?x&y/实 例", "a:b@c", "100%", "a+b;c", "'\"`$(x)"])
def test_the_database_lies_in_its_folder_whatever_that_is_called(tmp_path, folder):
    config = Config.from_env({"JIAYUAN_INSTANCE": str(tmp_path / folder)})

    with Database(config.database_url) as database, database.engine.connect():
        pass

    assert sorted(path.name for path in tmp_path.rglob("*.sqlite3")) == ["jiayuan.sqlite3"]
    assert (tmp_path / folder / "jiayuan.sqlite3").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {Path(folder).parts[0]}


@pytest.mark.parametrize("folder", ["实 例#?", "plain"])
def test_what_a_child_process_is_told_is_what_was_read(tmp_path, folder):
    config = Config.from_env(
        {
            "JIAYUAN_INSTANCE": str(tmp_path / folder),
            "JIAYUAN_TRUSTED_PROXIES": "2",
            "JIAYUAN_FOR_THIS_MACHINE": "1",
            "JIAYUAN_ALERTS": "https://desk.example.cn/alerts?key=geheim",
        }
    )

    assert replace(Config.from_env(config.to_env()), new_key_file=None) == replace(config, new_key_file=None)
    assert config.alert_channel == WebChannel("https://desk.example.cn/alerts?key=geheim")
    assert "geheim" not in repr(config)


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        (
            "JIAYUAN_DATABASE_URL",
            ["", " ", "garbage", "mysql://a:geheim@b/c", "sqlite://", "://", "postgresql://[::1/x"],
        ),
        ("JIAYUAN_TRUSTED_PROXIES", ["", "one", "-1", "1.5", "²", "9" * 5000, "17"]),
        ("JIAYUAN_FOR_THIS_MACHINE", ["yes", "2"]),
        ("JIAYUAN_ALERTS", ["", " ", "desk.example.cn", "smtps://me:geheim@mail.example.cn/?to=desk@example.cn"]),
        ("JIAYUAN_INSTANCE", ["", " ", "/proc/1/x", "/dev/null", "/dev/null/below", "x" * 5000]),
        ("JIAYUAN_PUBLIC_URL", ["", "wj.example.cn", "https://wj.example.cn/?x=1#"]),
    ],
)
def test_a_setting_that_is_none_is_refused_by_its_name_and_not_repeated_where_it_may_be_secret(
    tmp_path, variable, values
):
    for value in values:
        environ = {"JIAYUAN_INSTANCE": str(tmp_path / "instance")} | {variable: value}

        with pytest.raises(InvalidSetting) as refused:
            Config.from_env(environ)

        assert str(refused.value).startswith(variable)
        assert "geheim" not in str(refused.value)
    assert not (tmp_path / "instance" / "secret_key").exists()


@pytest.mark.parametrize(
    "typed",
    [
        *("", " ", "/", "https://", "https:///", "http:wj.example.cn", "//wj.example.cn", "ftp://wj.example.cn"),
        *(
            "javascript://x/%0aalert(1)",
            "https://wj.example.cn/wenjuan",
            "https://wj.example.cn?",
            "https://wj.example.cn#",
        ),
        *(
            "https://wj.example.cn/?x=1#",
            "https://user@wj.example.cn",
            "https://user:word@wj.example.cn",
            "https://wj..cn",
        ),
        *(
            "https://wj.example.cn:",
            "https://wj.example.cn:0",
            "https://wj.example.cn:65536",
            "https://wj.example.cn:x",
        ),
        *("https://wj example.cn", "https://-wj.cn", "https://wj_.cn", "https://1.2.3", "https://[::1"),
        *("https://[fe80::1%25eth0]", "https://wj\\example.cn", f"https://{'a' * 64}.cn", f"https://{'a.' * 130}cn"),
    ],
)
def test_an_address_that_is_none_of_a_whole_site_is_refused(typed):
    with pytest.raises(InvalidSetting, match="https://wj"):
        checked_public_url(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://wj.example.cn/", "https://wj.example.cn"),
        (" HTTPS://WJ.Example.cn \n", "https://wj.example.cn"),
        ("http://192.168.1.20:8000", "http://192.168.1.20:8000"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://问卷.中国", "https://问卷.中国"),
    ],
)
def test_an_address_of_a_site_is_kept_without_what_it_does_not_need(typed, kept):
    assert checked_public_url(typed) == kept


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused_and_an_accepted_one_stays_as_it_is(text):
    for typed in (text, f"https://{text}", f"http://{text}:80"):
        try:
            kept = checked_public_url(typed)
        except InvalidSetting:
            continue
        assert checked_public_url(kept) == kept
        assert not set(kept.partition("://")[2]) & set("/?#@ \\")


@pytest.mark.parametrize(("host", "is_one"), [("::1", True), ("0.0.0.0", True), ("bad host", False), ("", False)])
def test_a_host_to_listen_on_is_a_name_or_an_address(host, is_one):
    assert is_host(host) is is_one
    if is_one:
        assert checked_public_url(url_of_host(host, 8000))


@pytest.mark.parametrize(
    ("public_url", "is_printed"),
    [
        *((f"http://{host}", False) for host in ("127.0.0.1:8000", "127.9.9.9", "0.0.0.0", "[::1]:8000", "[::]")),
        *((f"http://{host}", False) for host in ("localhost", "LOCALHOST:80", "a.localhost", "server", "wj.local")),
        *(
            (f"http://{host}", False)
            for host in ("169.254.3.4", "[fe80::1]", "[::ffff:127.0.0.1]", "224.0.0.1", "wj.test")
        ),
        *((f"http://{host}", True) for host in ("192.168.1.20:8000", "wj.example.cn", "[2001:db8::1]", "问卷.中国")),
    ],
)
def test_codes_are_printed_for_what_a_phone_can_open_or_by_name_for_this_machine(tmp_path, public_url, is_printed):
    config = Config.from_env({"JIAYUAN_INSTANCE": str(tmp_path), "JIAYUAN_PUBLIC_URL": public_url})

    assert replace(config, for_this_machine=True).url_to_print == config.public_url
    if is_printed:
        assert config.url_to_print == config.public_url
    else:
        with pytest.raises(NoPhoneCanOpen, match="JIAYUAN_PUBLIC_URL"):
            _ = config.url_to_print
