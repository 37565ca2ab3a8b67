"""Settings: checked together at start, all wrong ones named at once."""

import pytest

from chat.shared.settings import BadSettings, read_settings


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator corrects them in one go."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://here")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("STREAM_BUFFER", "a lot")
    monkeypatch.setenv("SIGNUP", "maybe")
    with pytest.raises(BadSettings) as wrong:
        read_settings()
    assert [line.split(":")[0] for line in str(wrong.value).splitlines()] == ["REDIS_URL", "SIGNUP", "STREAM_BUFFER"]
    assert "a lot" not in str(wrong.value)


def test_lists_read_well_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Separated by commas, blanks ignored."""
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example, https://b.example,")
    settings = read_settings(database_url="x", redis_url="y")
    assert settings.allowed_origins == ["https://a.example", "https://b.example"]
