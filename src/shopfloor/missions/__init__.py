"""Missions: a brief becomes a sealed contract, features land one by one, and strangers to the work judge it."""
