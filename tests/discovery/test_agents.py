"""Instructions, prompts, skills and agents as components, and the models of their front matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.agents import DISCOVERER, FRONTMATTER_BYTES, MODEL_COUNT
from tests.discovery.references import found_in, told


@pytest.mark.parametrize(
    ("path", "loader"),
    [
        ("AGENTS.md", "agent"), ("pkg/AGENTS.md", "agent"), ("CLAUDE.md", "agent"), ("GEMINI.md", "agent"),
        (".cursorrules", "agent"), (".cursor/rules/style.mdc", "agent"), (".windsurfrules", "agent"),
        (".github/copilot-instructions.md", "agent"), (".github/instructions/py.instructions.md", "agent"),
        (".github/chatmodes/plan.chatmode.md", "agent"), (".claude/agents/reviewer.md", "agent"),
        (".claude/agents/team/reviewer.md", "agent"), (".github/agents/x.agent.md", "agent"),
        (".github/prompts/fix.prompt.md", "prompt"), (".claude/commands/fix.md", "prompt"),
        ("chat.prompty", "prompt"), ("skills/pdf/SKILL.md", "skill"), ("SKILL.md", "skill"),
    ],
)  # fmt: skip
def test_what_assistants_read_is_a_component(path: str, loader: str) -> None:
    (reference,) = found_in(DISCOVERER, path, "Be kind.").references
    assert reference.loader == loader
    assert told(DISCOVERER, path, "Be kind.") == [f"1 code file:{path}"]


@pytest.mark.parametrize(
    "path",
    ["README.md", "docs/agents.md", "agents/reviewer.md", "commands/fix.md", "prompt.md", "SKILLS.md",
     "AGENTS.txt",
     "src/claude.md.py", ".github/workflows/claude.yml", "MYCLAUDE.md"],
)  # fmt: skip
def test_other_documents_stay_silent(path: str) -> None:
    assert told(DISCOVERER, path, "---\nmodel: gpt-4o\n---\n") == []


def models(path: str, front: str) -> list[str]:
    """What is told besides the file itself."""
    return told(DISCOVERER, path, f"---\n{front}\n---\nmodel: gpt-3\n")[1:]


@pytest.mark.parametrize(
    ("path", "front", "expected"),
    [
        (".claude/agents/a.md", "name: a\nmodel: opus", ["3 service anthropic:opus unpinned"]),
        (".claude/agents/a.md", "model: claude-sonnet-4-20250514",
         ["2 service anthropic:claude-sonnet-4-20250514"]),
        (".claude/agents/a.md", "model: inherit", []),
        (".claude/agents/a.md", "model:", []),
        (".claude/agents/a.md", "description: no model", []),
        (".claude/agents/a.md", "description: Use when: user: asks\nmodel: sonnet",
         ["3 service anthropic:sonnet unpinned"]),
        (".claude/commands/c.md", "model: claude-3-5-haiku-20241022",
         ["2 service anthropic:claude-3-5-haiku-20241022"]),
        ("SKILL.md", "name: pdf\nmodel: haiku", ["3 service anthropic:haiku unpinned"]),
        (".github/prompts/p.prompt.md", "mode: agent\nmodel: GPT-4o", ["3 service openai:gpt-4o unpinned"]),
        (".github/prompts/p.prompt.md", "model: Claude Sonnet 4 (copilot)",
         ["2 service anthropic:claude-sonnet-4 unpinned"]),
        ("p.chatmode.md", "model: ['GPT-4.1', 'o3-mini']",
         ["2 service openai:gpt-4.1 unpinned", "2 service openai:o3-mini unpinned"]),
        ("a.prompt", "model: googleai/gemini-1.5-flash", ["2 service google:gemini-1.5-flash unpinned"]),
        ("a.prompt", "model: vertexai/gemini-2.0-flash", ["2 service google:gemini-2.0-flash unpinned"]),
        ("a.prompt", "model: ollama/llama3", ["2 model ollama:llama3 floating-tag unpinned"]),
        ("a.prompty", "model:\n  configuration:\n    type: azure_openai\n    azure_deployment: x",
         ["5 service azure-openai:x unpinned"]),
        ("a.prompty", "model:\n  configuration:\n    type: openai\n    name: gpt-4o-2024-08-06",
         ["5 service openai:gpt-4o-2024-08-06"]),
        ("a.prompty", "model:\n  configuration:\n    azure_deployment: ${env:DEPLOYMENT}",
         ["4 service ? unresolved"]),
        (".claude/agents/a.md", "model: our-own", ["2 service litellm:our-own unpinned"]),
    ],
)  # fmt: skip
def test_the_front_matter_names_the_model(path: str, front: str, expected: list[str]) -> None:
    assert models(path, front) == expected


def test_a_prompt_file_without_front_matter_is_any_file() -> None:
    assert told(DISCOVERER, "shell.prompt", "$ ") == []


def test_only_the_front_matter_counts() -> None:
    assert told(DISCOVERER, "CLAUDE.md", "model: gpt-4o\n---\nmodel: gpt-4o\n---\n") == [
        "1 code file:CLAUDE.md"
    ]


@pytest.mark.parametrize(
    "front",
    [
        b"model: \xff\xfe", b"model: &a [*a]", b"model: " + b"[" * 5_000,
        b"a: &a [x]\n" + b"k: [*a,*a]\n" * 3_000,
        b"k: v\n" * 12_000, b"model: " + b"x" * 1_000,
        b"\n" * FRONTMATTER_BYTES, b"model: http://[", b"model: a//b@c",
        b"x" * FRONTMATTER_BYTES, b"a: b: c\n" + b" " * 60_000,
        b"model: {configuration: [1]}", b"- model: gpt-4o",
    ],
)  # fmt: skip
def test_hostile_front_matter_never_hides_the_file(front: bytes) -> None:
    found = found_in(DISCOVERER, "AGENTS.md", b"---\n" + front + b"\n---\n")
    assert found.references[0].loader == "agent"
    assert found.defects == []


def test_only_so_many_models_are_told() -> None:
    names = ", ".join(f"gpt-{n}" for n in range(100))
    assert len(models("a.prompt.md", f"model: [{names}]")) == MODEL_COUNT


@given(st.text(max_size=40))
def test_any_front_matter_is_read(text: str) -> None:
    assert told(DISCOVERER, "SKILL.md", f"---\nmodel: {text}\n---\n")[0] == "1 code file:SKILL.md"
