"""Scripts, makefiles, justfiles, units: the commands in them, at their lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.commands import Commands
from aibom.discovery.found import Found
from aibom.discovery.shell import DISCOVERER, PROGRAMS, SCRIPT_BYTES, script
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, short, told

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PULLED = "model ollama:m floating-tag unpinned"

SCRIPT = f"""#!/usr/bin/env bash
# hf download org/comment
set -euo pipefail
MODEL="${{1:-org/m}}"

hf download "$MODEL" \\
  --revision {COMMIT}
hf download "$UNSET"
cat > serve.sh <<'END'
vllm serve org/written
END
if [ -n "$X" ]; then vllm serve "$MODEL" --trust-remote-code; fi
"""


def test_a_script_tells_what_its_commands_fetch() -> None:
    assert told(DISCOVERER, "run.sh", SCRIPT) == [
        f"6 model hf:org/m@{COMMIT}",
        "8 model ? unresolved",
        "12 model hf:org/m remote-code unpinned",
    ]


MAKEFILE = """MODEL ?= org/m
REV := v1 # a comment
NAME = $(MODEL)
export IMAGE=vllm/vllm-openai

.PHONY: x
x: MODEL=y # hf download org/comment
\t@hf download $(MODEL) --revision ${REV}
\t-@for m in a/b c/d; do hf download $$m; done
\thf download $(shell cat m) # hf download no/no
# hf download org/comment
\t# hf download org/comment
\tdocker run $(IMAGE):latest \\
\t  --model $(NAME)
\techo "it's"
\tollama pull m
hf download org/outside
"""


def test_recipes_of_a_makefile_are_commands_and_its_variables_are_filled_in() -> None:
    assert told(DISCOVERER, "Makefile", MAKEFILE) == [
        "8 model hf:org/m@v1 unpinned",
        "9 model hf:a/b unpinned",
        "9 model hf:c/d unpinned",
        "10 model ? unresolved",
        "13 library docker:vllm/vllm-openai@latest floating-tag unpinned",
        "14 model hf:org/m unpinned",
        f"16 {PULLED}",
    ]


def test_columns_of_a_makefile_are_those_of_the_file() -> None:
    (reference,) = found_in(DISCOVERER, "Makefile", "x:\n\t@ ollama pull m\n").references
    assert (reference.location.line, reference.location.column) == (2, 16)


JUSTFILE = """model := env("MODEL", "org/m")
export REV := 'v1'
# hf download org/comment
pull name="org/n":
    @hf download {{model}} --revision {{ REV }}
    hf download {{name}}
    hf download {{other}}
"""


def test_recipes_of_a_justfile_are_commands() -> None:
    assert told(DISCOVERER, "justfile", JUSTFILE) == [
        "5 model hf:org/m@v1 unpinned",
        "6 model hf:org/n unpinned",
        "7 model ? unresolved",
    ]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("etc/v.service", "[Service]\nExecStartPre=-/usr/bin/ollama pull m\nUser=x\n", [f"2 {PULLED}"]),
        ("Procfile", "web: ollama run m\n", [f"1 {PULLED}"]),
        ("a/b.mk", "x:\n\tollama pull m\n", [f"2 {PULLED}"]),
        ("GNUmakefile", "x:\r\n\tollama pull m\r\n", [f"2 {PULLED}"]),
        ("job.slurm", "#SBATCH x\nsrun ollama run m\n", [f"2 {PULLED}"]),
        ("a.sh", b"\xff\xfe\nollama pull m\n", [f"2 {PULLED}"]),
        ("a.md", "ollama pull m", []),
        ("remakefile", "\tollama pull m", []),
    ],
)
def test_kinds_of_files_are_known_by_their_names(path: str, text: str | bytes, expected: list[str]) -> None:
    assert told(DISCOVERER, path, text) == expected


def test_what_is_exported_is_for_the_programs_that_a_script_starts() -> None:
    text = "export MODEL_ID=org/m REVISION=v1\nLLM_MODEL=org/n\nEMBED_MODEL=org/e docker compose up\n"
    assert told(DISCOVERER, "a.sh", text) == ["1 model hf:org/m@v1 unpinned", "3 model hf:org/e unpinned"]


def test_what_is_exported_and_named_by_a_command_is_told_once() -> None:
    text = "export MODEL=org/m\nvllm serve $MODEL\n"
    assert told(DISCOVERER, "a.sh", text) == ["2 model hf:org/m unpinned"]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("bin/fetch", "#!/bin/sh -e\nollama pull m\n", [f"2 {PULLED}"]),
        ("fetch", "#!/usr/bin/env zsh\nollama pull m\n", [f"2 {PULLED}"]),
        (
            "bin/x",
            "#!/usr/bin/env python3\nfrom datasets import load_dataset\nload_dataset('org/d')\n",
            ["3 dataset hf-dataset:org/d unpinned"],
        ),
        ("bin/x", "#!/usr/bin/perl\nollama pull m\n", []),
        ("bin/x", "ollama pull m\n", []),
        ("README", "#!/bin/sh\nollama pull m\n", []),
        ("a.txt", "#!/bin/sh\nollama pull m\n", []),
        ("Makefile", "#!/bin/sh\n\tollama pull m\n", []),
    ],
)
def test_a_file_without_an_ending_is_a_script_by_its_first_line(
    path: str, text: str, expected: list[str]
) -> None:
    assert told(PROGRAMS, path, text) == expected


def test_variables_of_a_unit_and_defaults_of_recipes_are_filled_in() -> None:
    unit = "Environment=M=m\nEnvironment='X=1' \"T=2\"\nExecStart=/bin/ollama pull $M:$T\n"
    assert told(DISCOVERER, "a.service", unit) == ["3 model ollama:m@2 unpinned"]
    just = 'model := "m"\nget name=model tag="3":\n    ollama pull {{name}}:{{tag}}\n'
    assert told(DISCOVERER, "justfile", just) == ["3 model ollama:m@3 unpinned"]


def test_a_script_inside_of_a_file_counts_lines_from_its_first() -> None:
    found = Found(path="x.ipynb")
    script("\nollama pull m", 7, Commands(found, {}))
    assert [short(one) for one in found.references] == [f"8 {PULLED}"]


def test_a_script_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        told(DISCOVERER, "a.sh", b"ollama pull m\n" + b" " * SCRIPT_BYTES)
    assert caught.value.reason is Reason.LIMIT


def test_a_makefile_of_too_many_recipes_is_a_defect() -> None:
    found = found_in(DISCOVERER, "Makefile", "\t:\n" * 60_000 + "# model")
    assert [defect.reason for defect in found.defects] == [Reason.LIMIT]


@pytest.mark.parametrize("name", ["a.sh", "Makefile", "justfile", "Procfile"])
@given(text=st.text("\t $(){}:=\\\n'\"#a-/", max_size=60))
def test_any_text_is_read(name: str, text: str) -> None:
    found = found_in(DISCOVERER, name, f"{text}\n\tollama pull m\n")
    assert all(1 <= (one.location.line or 0) <= text.count("\n") + 3 for one in found.references)
