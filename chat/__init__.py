"""Durable message streams over Server-Sent Events."""
