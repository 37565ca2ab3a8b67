"""Tests: journeys, promises, and a folder for each part."""
