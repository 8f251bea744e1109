"""Small semantic search package."""
from .index import Index

__all__ = ["Index"]
__version__ = "0.3.1"
