"""The judge's hands: what runs inside an arena, where the judge's helpers live and the source does not.

These modules are handed to the arena's own python as text (drive.py), so nothing of shopfloor is mounted where a judge
can look. They import each other, the standard library and msgspec; playwright when a browser is first asked for.
"""
