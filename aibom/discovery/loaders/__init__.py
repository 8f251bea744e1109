"""Loaders of Python libraries, one file per family."""
