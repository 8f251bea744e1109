"""Names of files that have no ending of their own: `Dockerfile`, `Modelfile.gpu`, `Makefile`."""

from __future__ import annotations

from typing import Final

# Files about such a file, and programs that are called like one.
_OTHERS: Final = (
    ".md", ".rst", ".txt", ".py", ".pyi", ".js", ".ts", ".go", ".rs", ".rb", ".java", ".kt", ".c", ".h",
    ".cpp", ".json", ".yaml", ".yml", ".toml", ".html", ".lock", ".svg", ".png", ".dockerignore", ".orig",
    ".ipynb", ".sh", ".pyc",
)  # fmt: skip


def is_named(path: str, *stems: str) -> bool:
    """True for `stem`, `stem.variant`, `stem-variant` and `variant.stem`, in any case."""
    name = path.rpartition("/")[2].lower()
    for stem in stems:
        begins = name.startswith((f"{stem}.", f"{stem}-", f"{stem}_")) and not name.endswith(_OTHERS)
        if name == stem or begins or name.endswith((f".{stem}", f"-{stem}", f"_{stem}")):
            return True
    return False
