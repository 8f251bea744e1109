"""`python -m aibom`."""

from aibom.cli import main

if __name__ == "__main__":
    main()
