"""Bayes closes the loop: parameters, priors, posterior, samplers, runs.

`posterior.Posterior` joins parameters, forward model and data; `samplers` explore it; `runs` keep what they find.
"""
