"""Rung."""
