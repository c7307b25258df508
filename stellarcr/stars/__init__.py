"""Massive stars: tracks, winds, the initial mass function, clusters."""
