"""In which order the rooms are used: one module per use, a list of steps, no detail."""
