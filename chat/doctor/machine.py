"""The doctor looks at this machine: which layers of the image worker's sandbox its kernel has."""

from chat.doctor.finding import Finding, advise
from chat.files.images import missing_layers, read_layers

ABOUT = "image sandbox"


async def check_machine() -> list[Finding]:
    """Start the image worker once, as a node does."""
    layers = await read_layers()
    missing = missing_layers(layers)
    found = ", ".join(layers) or "none"
    remedy = (
        "Run nodes on Linux 5.13 or newer with Landlock and seccomp, on x86-64 or arm64, and outside of a container "
        "that forbids them."
    )
    return [advise(ABOUT, not missing, f"{found}; missing: {', '.join(missing)}" if missing else found, remedy)]
