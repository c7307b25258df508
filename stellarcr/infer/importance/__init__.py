"""Importance sampling: smoothed weights with their verdict, and evidences from samples of any sampler."""
