"""The doctor reads the settings, as a node would."""

from chat.doctor.finding import Finding, State, advise, good
from chat.shared.settings import BadSettings, Settings, read_settings

FILE = "the environment, or .env"


def check_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings, None where they cannot be read, and what is to be said of them."""
    try:
        settings = read_settings()
    except BadSettings as wrong:
        remedy = f"Set it right in {FILE}; README.md has the table of settings."
        return None, [Finding("settings", rate(line), line, remedy) for line in str(wrong).splitlines()]
    return settings, [
        good("settings", "all can be read"),
        advise(
            "RATE_LIMITS",
            settings.rate_limits,
            "on" if settings.rate_limits else "off: nothing keeps anybody from guessing passwords or flooding",
            f"Set RATE_LIMITS=on in {FILE}.",
        ),
    ]


def rate(line: str) -> State:
    """A missing URL is no fault where the doctor looks from somewhere else; a node would not start with the rest."""
    return "unknown" if line.startswith(("DATABASE_URL: Field", "REDIS_URL: Field")) else "bad"
