"""aibom from Python: what `from aibom import ...` gives, each when it is asked for."""
