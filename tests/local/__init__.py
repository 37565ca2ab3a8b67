"""One machine: bundled servers, started, killed and broken for real; `tandem up`; the demo."""
