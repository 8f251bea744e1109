"""What an expression stands for."""

from __future__ import annotations

import pytest

from tests.discovery.python_code import models, told

# argument, what stands before it, what it can be
TEXTS = {
    "constant": ("NAME", "NAME = 'org/a'", ["org/a"]),
    "annotated": ("NAME", "NAME: str = 'org/a'", ["org/a"]),
    "name of a name": ("B", "A = 'org/a'; B = A", ["org/a"]),
    "unpacked": ("B", "A, B = 'org/a', 'org/b'", ["org/b"]),
    "unpacked inside": ("C", "A, (B, C) = 'org/a', ('org/b', 'org/c')", ["org/c"]),
    "chain": ("A", "A = B = 'org/a'", ["org/a"]),
    "f-string": ("f'{A}/{B}-{7}b'", "A, B = 'org', 'm'", ["org/m-7b"]),
    "f-string of an attribute": ("f'org/{C.size}'", "class C: size = 'xl'", ["org/xl"]),
    "f-string with a format": ("f'org/{A:>3}'", "A = 'm'", ["?"]),
    "f-string with an unknown part": ("f'org/{unknown}'", "", ["?"]),
    "adjacent": ("'org/' 'a'", "", ["org/a"]),
    "concatenated": ("'org/' + A", "A = 'a'", ["org/a"]),
    "concatenated with a number": ("'org/a' + 1", "", ["?"]),
    "percent": ("'%s/%s' % ('org', A)", "A = 'a'", ["org/a"]),
    "percent of one": ("'org/%s' % A", "A = 'a'", ["org/a"]),
    "format": ("'{}/{}'.format('org', A)", "A = 'a'", ["org/a"]),
    "format by number": ("'{1}/{0}'.format('a', 'org')", "", ["org/a"]),
    "format by name": ("'{o}/a'.format(o='org')", "", ["org/a"]),
    "format that cannot be": ("'{}/{}'.format('org')", "", ["?"]),
    "join": ("'/'.join(['org', 'a'])", "", ["org/a"]),
    "strip": ("' org/a '.strip()", "", ["org/a"]),
    "lower": ("'ORG/a'.lower()", "", ["org/a"]),
    "replace": ("'org--a'.replace('--', '/')", "", ["org/a"]),
    "prefix": ("'hf:org/a'.removeprefix('hf:')", "", ["org/a"]),
    "str": ("str(A)", "A = 'org/a'", ["org/a"]),
    "environ.get": ("os.environ.get('M', 'org/a')", "import os", ["org/a"]),
    "getenv": ("os.getenv('M', 'org/a')", "import os", ["org/a"]),
    "getenv by keyword": ("getenv('M', default='org/a')", "from os import getenv", ["org/a"]),
    "environ without a default": ("os.environ['M']", "import os", ["?"]),
    "environ or": ("os.environ.get('M') or 'org/a'", "import os", ["org/a"]),
    "setdefault": ("os.environ.setdefault('M', 'org/a')", "import os", ["org/a"]),
    "conditional": ("'org/a' if gpu else 'org/b'", "", ["org/a", "org/b"]),
    "or": ("given or 'org/a'", "", ["org/a"]),
    "and": ("gpu and 'org/a'", "", ["org/a"]),
    "walrus": ("(A := 'org/a')", "", ["org/a"]),
    "walrus before": ("A", "if (A := 'org/a'): pass", ["org/a"]),
    "dict": ("D['a']", "D = {'a': 'org/a', 'b': 'org/b'}", ["org/a"]),
    "dict of an unknown key": ("D[key]", "D = {'a': 'org/a', 'b': 'org/b'}", ["org/a", "org/b"]),
    "dict of a missing key": ("D['c']", "D = {'a': 'org/a'}", ["?"]),
    "dict of dicts": ("D['a']['id']", "D = {'a': {'id': 'org/a'}}", ["org/a"]),
    "dict()": ("dict(a='org/a')['a']", "", ["org/a"]),
    "merged dicts": ("{**D, 'b': 'org/b'}['a']", "D = {'a': 'org/a'}", ["org/a"]),
    "dict with an item set": ("D['a']", "D = {}\nD['a'] = 'org/a'", ["org/a"]),
    "get": ("D.get('a')", "D = {'a': 'org/a'}", ["org/a"]),
    "get with a default": ("D.get(key, 'org/b')", "D = {'a': 'org/a'}", ["org/a", "org/b"]),
    "list": ("L[1]", "L = ['org/a', 'org/b']", ["org/b"]),
    "list from behind": ("L[-1]", "L = ['org/a', 'org/b']", ["org/b"]),
    "tuple of an unknown index": ("L[i]", "L = ('org/a', 'org/b')", ["org/a", "org/b"]),
    "index outside": ("L[7]", "L = ['org/a']", ["?"]),
    "class attribute": ("C.NAME", "class C: NAME = 'org/a'", ["org/a"]),
    "inherited attribute": ("C.NAME", "class B: NAME = 'org/a'\nclass C(B): ...", ["org/a"]),
    "enumeration": ("M.A.value", "import enum\nclass M(enum.Enum): A = 'org/a'", ["org/a"]),
    "dataclass": ("C().name", "class C:\n    name: str = 'org/a'", ["org/a"]),
    "dataclass field": ("C().name", "class C:\n    name: str = field(default='org/a')", ["org/a"]),
    "field factory": ("C().name", "class C:\n    name: str = field(default_factory=lambda: 'org/a')",
    ["org/a"]),
    "pydantic field": ("c.name",
    "class C(BaseModel):\n    name: str = Field('org/a', description='x')\nc = C()", ["org/a"]),
    "argument of an object": ("C(name='org/b').name", "class C:\n    name: str = 'org/a'", ["org/b"]),
    "namespace": ("n.name", "n = SimpleNamespace(name='org/a')", ["org/a"]),
    "attribute set": ("c.name", "c = make()\nc.name = 'org/a'", ["org/a"]),
    "getattr": ("getattr(C, 'name', None)", "class C: name = 'org/a'", ["org/a"]),
    "getattr with a default": ("getattr(c, 'name', 'org/a')", "", ["org/a"]),
    "cast": ("cast(str, 'org/a')", "", ["org/a"]),
    "choice": ("random.choice(L)", "L = ['org/a', 'org/b']", ["org/a", "org/b"]),
    "selectbox": ("st.selectbox('Model', ['org/a', 'org/b'])", "", ["org/a", "org/b"]),
    "text input": ("st.text_input('Model', 'org/a')", "", ["org/a"]),
    "function": ("name()", "def name(): return 'org/a'", ["org/a"]),
    "function of branches": ("name()", "def name():\n    if x: return 'org/a'\n    return 'org/b'", ["org/a",
    "org/b"]),
    "function of an argument": ("name('xl')", "def name(size): return f'org/{size}'", ["org/xl"]),
    "function of a keyword": ("name(size='xl')", "def name(size='s'): return f'org/{size}'", ["org/xl"]),
    "function of a default": ("name()", "def name(size='s'): return f'org/{size}'", ["org/s"]),
    "function of an unknown argument": ("name(size)", "def name(size='s'): return f'org/{size}'", ["?"]),
    "lambda": ("name()", "name = lambda: 'org/a'", ["org/a"]),
    "star argument": ("*['org/a']", "", ["org/a"]),
    "star-star argument": ("**{'pretrained_model_name_or_path': 'org/a'}", "", ["org/a"]),
    "star-star name": ("**K", "K = dict(pretrained_model_name_or_path='org/a')", ["org/a"]),
    "unknown star argument": ("*a", "", ["?"]),
    "augmented": ("A", "A = 'org/'\nA += 'a'", ["org/a"]),
    "last value": ("A", "A = 'org/a'\nA = 'org/b'", ["org/b"]),
    "built from itself": ("A", "A = 'a'\nA = 'org/' + A", ["org/a"]),
    "branches": ("A", "if x: A = 'org/a'\nelse: A = 'org/b'", ["org/a", "org/b"]),
    "branches that leave nothing over": ("A",
    "A = 'org/0'\nif x: A = 'org/a'\nelif y: A = 'org/b'\nelse: A = 'org/c'", ["org/a", "org/b", "org/c"]),
    "a branch and before": ("A", "A = 'org/0'\nif x: A = 'org/a'", ["org/0", "org/a"]),
    "match": ("A", "match x:\n    case 1: A = 'org/a'\n    case _: A = 'org/b'", ["org/a", "org/b"]),
    "try": ("A", "try: A = 'org/a'\nexcept E: A = 'org/b'", ["org/a", "org/b"]),
    "loop": ("A", "for A in ['org/a', 'org/b']: pass", ["org/a", "org/b"]),
    "global": ("A", "A = 'org/a'\ndef f():\n    global A\n    A = 'org/b'", ["org/a", "org/b"]),
    "tuple in the other order": ("A", "(A, B) = make()", ["?"]),
    "nothing": ("", "", ["?"]),
    "none": ("None", "", ["?"]),
    "number": ("7", "", ["?"]),
    "bytes": ("b'org/a'", "", ["?"]),
    "cycle": ("A", "A = B\nB = A", ["?"]),
    "recursion": ("f()", "def f(): return f()", ["?"]),
    "class of itself": ("C.x", "class C(C): ...", ["?"]),
}  # fmt: skip


@pytest.mark.parametrize(("argument", "before", "expected"), TEXTS.values(), ids=TEXTS)
def test_expressions(argument: str, before: str, expected: list[str]) -> None:
    assert models(argument, before) == expected


PATHS = {
    "os.path.join": ("os.path.join('a', 'b')", "import os", ["a/b"]),
    "join by name": ("join(A, 'b')", "from os.path import join\nA = 'a'", ["a/b"]),
    "join with a root": ("os.path.join('a', '/b')", "import os", ["/b"]),
    "Path": ("Path('a') / 'b'", "from pathlib import Path", ["a/b"]),
    "Path of parts": ("P('a', 'b')", "from pathlib import Path as P", ["a/b"]),
    "joinpath": ("Path('a').joinpath('b').resolve()", "from pathlib import Path", ["a/b"]),
    "text of a path": ("str(Path('a') / 'b')", "from pathlib import Path", ["a/b"]),
    "unknown folder": ("Path(__file__).parent / 'b'", "from pathlib import Path", ["?"]),
}


@pytest.mark.parametrize(("argument", "before", "expected"), PATHS.values(), ids=PATHS)
def test_what_is_put_together_as_a_path_is_a_path(argument: str, before: str, expected: list[str]) -> None:
    assert models(argument, before) == expected
    code = f"from transformers import AutoModel\n{before}\nAutoModel.from_pretrained({argument})"
    assert told(code) == [
        "model ? unresolved" if each == "?" else f"model file:{each} local-path" for each in expected
    ]


LOOPS = [
    "for m in ['org/a', 'org/b']: {}",
    "for m in ('org/a', *['org/b']): {}",
    "for m in {{'org/a': 1, 'org/b': 2}}: {}",
    "for m in {{1: 'org/a', 2: 'org/b'}}.values(): {}",
    "for k, m in {{1: 'org/a', 2: 'org/b'}}.items(): {}",
    "for k, m in enumerate(['org/a', 'org/b']): {}",
    "for k, m in [(1, 'org/a'), (2, 'org/b')]: {}",
    "for k, m in zip([1, 2], ['org/a', 'org/b']): {}",
    "for m in sorted(['org/a', 'org/b']): {}",
    "for m in ['org/a'] + ['org/b']: {}",
    "for n in 'ab', 'cd': pass\nfor m in [f'org/{{n}}' for n in ('a', 'b')]: {}",
    "[{} for m in ('org/a', 'org/b')]",
    "{{m: {} for m in ('org/a', 'org/b')}}",
    "list({} for m in ('org/a', 'org/b') if m)",
    "import enum\nclass M(enum.Enum):\n    A = 'org/a'\n    B = 'org/b'\nfor e in M:\n    m = e.value; {}",
]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_goes_through_everything(loop: str) -> None:
    code = loop.format("AutoModel.from_pretrained(m)")
    assert told(f"from transformers import AutoModel\n{code}") == [
        "model hf:org/a unpinned", "model hf:org/b unpinned",
    ]  # fmt: skip


def test_comprehensions_do_not_share_their_names() -> None:
    assert told(
        """
        from transformers import AutoModel
        a = [AutoModel.from_pretrained(m) for m in ["org/a"]]
        b = [
            AutoModel.from_pretrained(m)
            for m in ["org/b"]
        ]
        """
    ) == ["model hf:org/a unpinned", "model hf:org/b unpinned"]


def test_arms_of_a_branch_do_not_see_each_other() -> None:
    assert told(
        """
        from transformers import AutoModel
        if x:
            m = "org/a"
            AutoModel.from_pretrained(m)
        elif y:
            m = "org/b"
            AutoModel.from_pretrained(m)
        else:
            AutoModel.from_pretrained("org/c")
        """
    ) == ["model hf:org/a unpinned", "model hf:org/b unpinned", "model hf:org/c unpinned"]


def test_each_use_sees_what_was_assigned_before_it() -> None:
    assert told(
        """
        from transformers import AutoModel
        m = "org/a"; AutoModel.from_pretrained(m)
        m = "org/b"; m = AutoModel.from_pretrained(m)
        """
    ) == ["model hf:org/a unpinned", "model hf:org/b unpinned"]


def test_the_names_of_a_class_are_not_those_of_its_functions() -> None:
    assert told(
        """
        from transformers import AutoModel
        NAME = "org/outer"
        class A:
            NAME = "org/inner"
            def load(self, name="org/default", *, other=NAME):
                AutoModel.from_pretrained(NAME); AutoModel.from_pretrained(self.NAME)
                AutoModel.from_pretrained(name); AutoModel.from_pretrained(other)
        """
    ) == [f"model hf:org/{name} unpinned" for name in ("outer", "inner", "default", "inner")]


def test_attributes_of_self() -> None:
    assert told(
        """
        from transformers import AutoModel
        class A:
            def __init__(self, name="org/a", kind=None):
                self.name = name
                self.kind = kind or "org/k"
                self.pair, self.other = "org/p", "org/o"
            def load(self):
                AutoModel.from_pretrained(self.name)
                AutoModel.from_pretrained(self.kind)
                AutoModel.from_pretrained(self.other)
                AutoModel.from_pretrained(self.prop)
                AutoModel.from_pretrained(self.method("xl"))
                AutoModel.from_pretrained(self.unknown)
            @property
            def prop(self): return "org/prop"
            def method(self, size): return f"org/{size}"
        """
    ) == [*(f"model hf:org/{name} unpinned" for name in ("a", "k", "o", "prop", "xl")), "model ? unresolved"]


OPTIONS = [
    (
        "p = argparse.ArgumentParser(); p.add_argument('--name', default='org/a')\n"
        "x = p.parse_args()\n{} # x.name"
    ),
    "p.add_argument('-n', '--name', type=str, default='org/a')\ndef main(x):\n    {}",
    "p.add_argument('-m', dest='name', default='org/a')\nx, _ = p.parse_known_args()\n{}",
    "p.add_argument('--name', default=A)\nA = 'org/a'\n{}",
    "p.set_defaults(name='org/a')\n{}",
    "flags.DEFINE_string('name', 'org/a', 'help')\nx = flags.FLAGS\n{}",
    (
        "@dataclass\nclass C:\n    name: str = 'org/a'\n"
        "x = HfArgumentParser(C).parse_args_into_dataclasses()[0]\n{}"
    ),
    "@dataclass\nclass C:\n    name: str = 'org/a'\nx = tyro.cli(C)\n{}",
    "@dataclass\nclass C:\n    name: str = 'org/a'\ndef main(x: C):\n    {}",
]


@pytest.mark.parametrize("program", OPTIONS)
def test_defaults_of_a_command_line(program: str) -> None:
    code = program.format("AutoModel.from_pretrained(x.name)")
    assert told(f"from transformers import AutoModel\n{code}") == ["model hf:org/a unpinned"]


PARAMETERS = [
    "@click.option('--name', default='org/a')\ndef main(name): {}",
    "@click.command()\n@click.option('-n', '--my-name', 'name', default='org/a')\ndef main(name): {}",
    "@click.argument('name', default='org/a')\nasync def main(name): {}",
    "def main(name: str = typer.Option('org/a', help='x')): {}",
    "def main(name: str = typer.Option(default='org/a')): {}",
    "def main(name: Annotated[str, typer.Option()] = 'org/a'): {}",
    "def main(*, name='org/a'): {}",
    "def main(name=None):\n    name = name or 'org/a'\n    {}",
    "def main(name=None):\n    if name is None: name = 'org/a'\n    {}",
    "main = lambda name='org/a': {}",
]


@pytest.mark.parametrize("program", PARAMETERS)
def test_defaults_of_parameters(program: str) -> None:
    code = program.format("AutoModel.from_pretrained(name)")
    assert told(f"from transformers import AutoModel\n{code}") == ["model hf:org/a unpinned"]


SIBLINGS = [
    ("from .config import NAME", "NAME", "app/config.py", "NAME = 'org/a'"),
    ("from .config import NAME as N", "N", "app/config.py", "NAME = 'org/a'"),
    ("from . import config", "config.NAME", "app/config.py", "NAME = 'org/a'"),
    ("from . import NAME", "NAME", "app/__init__.py", "NAME = 'org/a'"),
    ("from ..config import NAME", "NAME", "config.py", "NAME = 'org/a'"),
    ("from ..shared.names import NAME", "NAME", "shared/names.py", "NAME = 'org/a'"),
    ("from app.config import NAME", "NAME", "app/config.py", "NAME = 'org/a'"),
    ("import config", "config.NAME", "app/config.py", "NAME = 'org/a'"),
    ("import app.config as c", "c.NAME", "app/config.py", "NAME = 'org/a'"),
    ("import app.config", "app.config.NAME", "app/config.py", "NAME = 'org/a'"),
    ("from config import *", "NAME", "app/config.py", "NAME = 'org/a'"),
    ("from .config import NAMES", "NAMES['a']", "app/config.py", "NAMES = {'a': 'org/a'}"),
    ("from .config import Settings", "Settings().name", "app/config.py",
     "class Settings:\n    name: str = 'org/a'"),
    ("from .config import settings", "settings.name", "app/config.py",
     "class S:\n    name: str = 'org/a'\nsettings = S()"),
    ("from .config import name", "name()", "app/config.py", "def name(): return f'org/{A}'\nA = 'a'"),
    ("from .config import NAME", "f'{NAME}'", "app/config/__init__.py", "NAME = 'org/a'"),
]  # fmt: skip


@pytest.mark.parametrize(("imported", "argument", "path", "code"), SIBLINGS)
def test_constants_of_a_module_beside(imported: str, argument: str, path: str, code: str) -> None:
    assert models(argument, imported, {path: code}) == ["org/a"]
    assert models(argument, imported, {}) == ["?"]


def test_constants_that_a_module_beside_imports_itself() -> None:
    beside = {
        "app/a.py": "from .b import NAME",
        "app/b.py": "from .c import NAME",
        "app/c.py": "NAME = 'org/a'",
    }
    assert models("NAME", "from .a import NAME", beside) == ["org/a"]


def test_modules_that_import_each_other_end() -> None:
    beside = {"app/a.py": "from .b import NAME", "app/b.py": "from .a import NAME"}
    assert models("NAME", "from .a import NAME", beside) == ["?"]


@pytest.mark.parametrize(
    ("imported", "beside"),
    [
        ("from .a import NAME", {"app/a.py": "NAME = ("}),
        ("from .a import NAME", {"app/a.py": "x = 1"}),
        ("from .a import NAME", {"app/a.py": "NAME = 'org/a' #" + "x" * 300_000}),
        ("from .....a import NAME", {"a.py": "NAME = 'org/a'"}),
        ("from .main import NAME", {"app/main.py": "NAME = 'org/a'"}),
        ("from torch import NAME", {"torch.py": "NAME = 'org/a'"}),
    ],
)
def test_what_a_module_beside_does_not_tell_stays_unknown(imported: str, beside: dict[str, str]) -> None:
    assert models("NAME", imported, beside) == ["?"]


def test_only_some_modules_are_read_for_one_file() -> None:
    beside = {f"app/m{number}.py": f"NAME = 'org/m{number}'" for number in range(30)}
    before = "\n".join(f"from .m{number} import NAME as N{number}" for number in range(30))
    known = [name for number in range(30) for name in models(f"N{number}", before, beside)]
    assert known == [f"org/m{number}" for number in range(30)]
    code = "\n".join(
        [
            "from transformers import AutoModel",
            before,
            *(f"AutoModel.from_pretrained(N{n})" for n in range(30)),
        ]
    )
    assert told(code, beside=beside).count("model ? unresolved") == 14


@pytest.mark.parametrize(
    "code",
    [
        "x0 = 'a'\n" + "".join(f"x{n} = x{n - 1} + x{n - 1}\n" for n in range(1, 40)),
        "x0 = unknown\n" + "".join(f"x{n} = x{n - 1} or x{n - 1}\n" for n in range(1, 40)),
        "a = {0: '0', 1: '1', 2: '2'}[q]\nx39 = " + " + ".join("a" * 20),
        "x39 = '" + "a" * 3_000 + "'",
        "x39 = " + " + ".join(["'a'"] * 300),
        "x0 = 'a'\n" + "".join(f"x{n} = x{n - 1}\n" for n in range(1, 40)),
    ],
)
def test_what_grows_without_end_is_given_up(code: str) -> None:
    assert models("x39", code) == ["?"]
