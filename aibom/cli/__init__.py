"""What did the user ask? The only room that prints, reads the environment or exits."""

from aibom.cli.main import main

__all__ = ["main"]
