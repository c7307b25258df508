"""The figures and tables of Qiu, Lin & Yang (arXiv:2605.31362), from this code and beside the published numbers."""
