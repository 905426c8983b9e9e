"""Terraform finds the provider on a machine without internet, and a user's own configuration is left alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.terraform import binary
from tools.terraform.binary import PROVIDER, implied_mirrors, terraform_environment


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it but a home folder."""
    monkeypatch.setattr(binary, "OPTIONAL_SOFTWARE", tmp_path / "opt")
    monkeypatch.setattr(binary, "WRITTEN_CONFIGURATION", tmp_path / "build" / "terraform.rc")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "XDG_DATA_DIRS": str(home / "share"), **more}


@pytest.mark.parametrize(
    "mirror",
    ["home/.terraform.d/plugins", "home/.local/share/terraform/plugins", "home/share/terraform/plugins", "opt/any"],
)
def test_mirror_with_the_provider_is_used(home: Path, mirror: str) -> None:
    (home.parent / mirror / PROVIDER).mkdir(parents=True)
    written = Path(terraform_environment(environ(home))["TF_CLI_CONFIG_FILE"]).read_text()
    assert str(home.parent / mirror) in written
    assert f'exclude = ["{PROVIDER}"]' in written


def test_missing_configuration_file_counts_as_none(home: Path) -> None:
    (home.parent / "opt" / "any" / PROVIDER).mkdir(parents=True)
    result = terraform_environment(environ(home, TF_CLI_CONFIG_FILE=str(home / "missing")))
    assert result["TF_CLI_CONFIG_FILE"] == str(home.parent / "build" / "terraform.rc")


def test_without_a_mirror_the_registry_is_used(home: Path) -> None:
    assert "TF_CLI_CONFIG_FILE" not in terraform_environment(environ(home, TF_CLI_CONFIG_FILE=str(home / "missing")))


@pytest.mark.parametrize("named", [True, False])
def test_user_configuration_is_not_changed(home: Path, named: bool) -> None:  # noqa: FBT001
    (home.parent / "opt" / "any" / PROVIDER).mkdir(parents=True)
    own = home / (".my.rc" if named else ".terraformrc")
    own.write_text("")
    given = environ(home, **({"TF_CLI_CONFIG_FILE": str(own)} if named else {}))
    assert terraform_environment(given).get("TF_CLI_CONFIG_FILE") == given.get("TF_CLI_CONFIG_FILE")
    assert not (home.parent / "build").exists()


def test_implied_mirrors_are_those_of_the_platform(home: Path) -> None:
    mac = [str(path) for path in implied_mirrors(environ(home), platform="darwin")]
    assert "/Library/Application Support/io.terraform/plugins" in mac
    linux = [str(path) for path in implied_mirrors(environ(home), platform="linux")]
    assert str(home / ".terraform.d" / "plugins") in linux
    assert str(home / ".local" / "share" / "terraform" / "plugins") in linux


def test_configuration_can_be_written_concurrently(home: Path) -> None:
    (home.parent / "opt" / "any" / PROVIDER).mkdir(parents=True)
    written = home.parent / "build" / "terraform.rc"
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            written.unlink(missing_ok=True)
            found = list(pool.map(terraform_environment, [environ(home)] * 8))
            assert {each["TF_CLI_CONFIG_FILE"] for each in found} == {str(written)}
    assert list(written.parent.iterdir()) == [written]


def test_gogc_is_set_unless_the_user_did(home: Path) -> None:
    assert terraform_environment(environ(home))["GOGC"] == "400"
    assert terraform_environment(environ(home, GOGC="50"))["GOGC"] == "50"
