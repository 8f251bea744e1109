"""aibom: what an AI artefact is, whether it is what it claims to be, and who vouches for it."""

__version__ = "0.1.0"
