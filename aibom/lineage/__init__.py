"""Whether the weights support what is claimed about them, and how they changed. Pure."""
