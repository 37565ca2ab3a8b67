"""Pictures of every screen, light and dark, wide and narrow: `python -m tests.journeys.pictures FOLDER`.

It starts two nodes of its own with the demo's people and talk. A new screen takes a line at the end of `app.py`.
"""
