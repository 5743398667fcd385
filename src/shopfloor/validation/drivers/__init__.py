"""Drivers: how a judge who cannot read the source uses an app as its user would."""
