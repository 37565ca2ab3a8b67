"""The user that runs PostgreSQL: the one who starts it, the owner of the data, or nobody, and never root."""

import os
from pathlib import Path

import pytest

from chat.local.errors import ForeignData
from chat.local.postgres import SystemUser, user_for

ANA = 4242


def become(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    """Let the code under test believe that this is our user."""
    monkeypatch.setattr(os, "geteuid", lambda: uid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_own_data_keeps_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own data, or none yet: the user does not change."""
    os.chown(tmp_path, ANA, ANA)
    become(monkeypatch, ANA)
    assert user_for(tmp_path) is None
    assert user_for(tmp_path / "not yet") is None


def test_data_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data of another user is refused, with what to do."""
    become(monkeypatch, ANA)
    with pytest.raises(ForeignData, match=r"belongs to .*--data"):
        user_for(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_runs_data_as_its_owner(tmp_path: Path) -> None:
    """Data that ana made without sudo stays hers with sudo."""
    os.chown(tmp_path, ANA, ANA)
    assert user_for(tmp_path) == SystemUser(ANA, ANA)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_new_data_of_root_is_run_by_nobody(tmp_path: Path) -> None:
    """New data, or data that root owns, is run by an unprivileged user."""
    runner = user_for(tmp_path)
    assert runner is not None
    assert runner.uid != 0
