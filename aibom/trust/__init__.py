"""Who vouches for it: decisions take values and return a `Check`, no I/O inside."""
