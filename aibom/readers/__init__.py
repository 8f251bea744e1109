"""How hostile bytes are read: bounded building blocks with no opinion."""
