"""Settings: checked together at the start, and all wrong ones are named at once."""

import pytest

from chat.shared.settings import BadSettings, read_settings


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names every wrong setting."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://here")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("STREAM_BUFFER", "a lot")
    monkeypatch.setenv("SIGNUP", "maybe")
    with pytest.raises(BadSettings) as wrong:
        read_settings()
    assert [line.split(":")[0] for line in str(wrong.value).splitlines()] == ["REDIS_URL", "SIGNUP", "STREAM_BUFFER"]
    assert "a lot" not in str(wrong.value)


def test_lists_read_well_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are separated by commas, and spaces are ignored."""
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://a.example, https://b.example,")
    settings = read_settings(database_url="x", redis_url="redis://y")
    assert settings.allowed_origins == ["https://a.example", "https://b.example"]


@pytest.mark.parametrize("rates", ["", "fast", "0/minute", "5/fortnight", "5/minute;", "-1/hour"])
def test_invalid_rates_are_refused(rates: str) -> None:
    """Rates without a meaning are refused."""
    with pytest.raises(BadSettings, match=r"RATE_LOGIN: .*must be like 5/minute"):
        read_settings(database_url="x", redis_url="redis://y", rate_login=rates)


def test_proxies_are_addresses_or_networks() -> None:
    """What is none is named at start, and not at the first request."""
    settings = read_settings(database_url="x", redis_url="redis://y", trusted_proxies="10.0.0.0/8, 127.0.0.1, fd00::/8")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"]
    with pytest.raises(BadSettings, match="TRUSTED_PROXIES"):
        read_settings(database_url="x", redis_url="redis://y", trusted_proxies="haproxy")


@pytest.mark.parametrize(
    "url", ["", "files", "file:", "file://host/files", "s3://", "ftp://x/y", "http://s3.example/b"]
)
def test_the_files_url_is_a_folder_or_a_bucket(url: str) -> None:
    """Anything but a folder or a bucket is refused at the start, not at the first file."""
    with pytest.raises(BadSettings, match="FILES_URL"):
        read_settings(database_url="x", redis_url="redis://x", files_url=url)
