"""Settings of the cloud: file, then environment, then command line; what is not known is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.domain.errors import InputRefusedError
from guardian.serve.settings import Settings, load_settings


def load(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "guardian.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environment=environment)


def refusal(tmp_path: Path, text: str, **environment: str) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        load(tmp_path, text, **environment)
    return caught.value


def test_without_a_file_everything_is_embedded_under_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    urls = load_settings(environment={}).stores.with_defaults()
    data = tmp_path / "var" / "cloud"
    assert urls.records == f"sqlite:///{data}/records.sqlite"
    assert urls.photos == (data / "photos").as_uri()
    assert urls.secrets == (data / "secrets").as_uri()
    assert urls.events == "memory:"
    assert load_settings(environment={}).stores.embedded


def test_the_file_gives_way_to_the_environment_and_that_to_the_command_line(tmp_path: Path) -> None:
    text = 'port = 1000\n[stores]\nrecords = "sqlite:///a"\nevents = "nats://file"\n'
    (tmp_path / "guardian.toml").write_text(text)
    environment = {"GUARDIAN_PORT": "2000", "GUARDIAN_STORES__EVENTS": "nats://environment", "PATH": "/bin"}
    settings = load_settings(tmp_path / "guardian.toml", environment=environment)
    assert (settings.port, settings.stores.records, settings.stores.events) == (
        2000,
        "sqlite:///a",
        "nats://environment",
    )
    settings = load_settings(tmp_path / "guardian.toml", environment=environment, port=3000, home=tmp_path / "x")
    assert (settings.port, settings.stores.data) == (3000, str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("port = 1\nprot = 2\n", 2, "prot"),
        ('port = 1\n\n[stores]\ndata = "x"\nrecrods = "y"\n', 5, "recrods"),
        ("port = 1\n[stores]\n# port = 3\nport = 2\n", 4, "port"),
        ('port = 1\n[storse]\nrecords = "y"\n', 2, "storse"),
        ('stores.recrods = "y"\n', 1, "recrods"),
        ('port = 1\nstores = { data = "x", recrods = "y" }\n', 2, "recrods"),
        ('# recrods\n[stores]\n"recrods" = "y"\n', 3, "recrods"),
    ],
)
def test_an_unknown_key_is_refused_with_its_line(tmp_path: Path, text: str, line: int, key: str) -> None:
    error = refusal(tmp_path, text)
    assert error.reference == "settings-unknown"
    assert f"line {line}:" in error.sentence and f"'{key}'" in error.sentence


def test_an_unknown_variable_is_refused_by_name(tmp_path: Path) -> None:
    error = refusal(tmp_path, "port = 1\n", GUARDIAN_STORES__RECRODS="x")
    assert error.reference == "settings-unknown" and "RECRODS" in error.sentence


def test_a_value_of_the_wrong_kind_is_refused_without_being_repeated(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'port = "hunter2"\n')
    assert error.reference == "settings-value" and "port" in error.sentence and "hunter2" not in error.sentence


def test_a_file_that_is_no_toml_or_not_there_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path, "port = \n").reference == "settings-file"
    with pytest.raises(InputRefusedError) as caught:
        load_settings(tmp_path / "nowhere.toml", environment={})
    assert caught.value.reference == "settings-file" and caught.value.hint
