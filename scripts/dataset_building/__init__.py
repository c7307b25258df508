"""Makes the tables of ``datasets/`` from source tables; see ``scripts/build_datasets.py``."""
