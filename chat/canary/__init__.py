"""Canaries: each node talks to itself by way of its neighbours, the whole time, and says how long that takes."""
