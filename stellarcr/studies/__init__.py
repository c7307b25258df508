"""Whole jobs: a fit, a check before it, timings, spectra, pictures of stored runs."""
