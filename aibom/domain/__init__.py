"""The values that every room talks about. Standard library only, no I/O."""
