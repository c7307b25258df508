"""Wind termination shocks: the bubble, the highest rigidity, and the spectra that are injected."""
