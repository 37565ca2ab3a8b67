"""Pictures of every screen, light, dark and in high contrast, wide and narrow:

    python -m tests.journeys.pictures FOLDER

It starts two nodes of its own with the demo's users and messages. A new screen takes a line at the end of `app.py`,
`panels.py` or `board.py`.
"""
