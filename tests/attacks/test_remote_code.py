"""Code of a model that starts, opens, loads or hides something. The sources are only parsed."""

from __future__ import annotations

import pytest

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Facts
from aibom.domain.hazard import HazardKind
from aibom.formats.remote_code import FORMAT
from tests.hostile import read

LONG = "A" * 3_000

SURE = [
    ("import os\nos.system('x')", "process: os.system"),
    ("import os as o\no.popen('x')", "process: os.popen"),
    ("from subprocess import run as r\nr(['x'])", "process: subprocess.run"),
    ("import os\nf = os.system\nf('x')", "process: os.system"),
    ("import os\na, b = os.system, 1\na('x')", "process: os.system"),
    ("import os\nmap(os.system, ['x'])", "process: os.system"),
    ("import os\nx = [os.system]\nx[0]('a')", "process: os.system"),
    ("import os\ndef f(s=os.system): s('x')", "process: os.system"),
    ("from os import system\n@system\ndef f(): pass", "process: os.system"),
    ("from os import *\nsystem('x')", "process: os.system"),
    ("import posix\nposix.system('x')", "process: os.system"),
    ("import os, sys\n(os if 1 else sys).system('x')", "process: os.system"),
    ("import os\n(os or 1).system('x')", "process: os.system"),
    ("import os\n(o := os).system('x')", "process: os.system"),
    ("import os\ngetattr(os, 'sys' + 'tem')('x')", "process: os.system"),
    ("import os\nx = 'sys'\nx += 'tem'\ngetattr(os, x)('a')", "process: os.system"),
    ("import os\nfor n in ['system']: getattr(os, n)('a')", "process: os.system"),
    ("import os\ngetattr(os, f'{\"sys\"}tem')('x')", "process: os.system"),
    ("import os\nos.__dict__['system']('x')", "process: os.system"),
    ("import os\nvars(os)['system']('x')", "process: os.system"),
    ("import sys\nsys.modules['os'].system('x')", "process: os.system"),
    ("import operator, os\noperator.attrgetter('system')(os)('x')", "process: os.system"),
    ("import os\nglobals()['os'].system('x')", "process: os.system"),
    ("__import__('os').system('x')", "process: os.system"),
    ("i = __import__\ni('subprocess').call('x')", "process: subprocess.call"),
    ("import importlib\nimportlib.import_module('o' + 's').popen('x')", "process: os.popen"),
    ("n = ''.join([chr(111), chr(115)])\n__import__(n).system('x')", "process: os.system"),
    ("n = ''.join(chr(c) for c in [111, 115])\n__import__(n).system('x')", "process: os.system"),
    ("n = ''.join(map(chr, [111, 115]))\n__import__(n).system('x')", "process: os.system"),
    ("n = bytes([111, 115]).decode()\n__import__(n).system('x')", "process: os.system"),
    ("n = bytes.fromhex('6f73').decode()\n__import__(n).system('x')", "process: os.system"),
    ("n = '%s%s' % ('o', 's')\n__import__(n).system('x')", "process: os.system"),
    ("n = '{}{}'.format('o', 's')\n__import__(n).system('x')", "process: os.system"),
    ("__import__('so'[::-1]).system('x')", "process: os.system"),
    ("__import__('o-s'.replace('-', '')).system('x')", "process: os.system"),
    ("import base64\n__import__(base64.b64decode(b'b3M=').decode()).system('x')", "process: os.system"),
    ("import codecs\n__import__(codecs.decode('bf', 'rot13')).system('x')", "process: os.system"),
    ("class A:\n def __reduce__(self):\n  import os\n  return os.system, ('x',)", "process: os.system"),
    ("f = lambda: __import__('os').system('x')", "process: os.system"),
    ("async def f():\n import asyncio\n await asyncio.create_subprocess_shell('x')",
     "process: asyncio.create_subprocess_shell"),
    ("import pty\npty.spawn('sh')", "process: pty.spawn"),
    ("exec('print(1)')", "dynamic code: builtins.exec"),
    ("eval(x)", "dynamic code: builtins.eval"),
    ("import builtins\nbuiltins.exec('1')", "dynamic code: builtins.exec"),
    ("__builtins__['eval']('1')", "dynamic code: builtins.eval"),
    ("getattr(__builtins__, 'ev' + 'al')('1')", "dynamic code: builtins.eval"),
    ("globals()['__bui' + 'ltins__']['exec']('1')", "dynamic code: builtins.exec"),
    ("__import__(x)", "dynamic code: __import__ of a computed name"),
    ("import os\ngetattr(os, x)('y')", "dynamic code: getattr(os, ...)"),
    ("import runpy\nrunpy.run_path('x')", "dynamic code: runpy.run_path"),
    ("import torch\ntorch.hub.load('a/b', 'c')", "dynamic code: torch.hub.load"),
    ("import base64\nexec(base64.b64decode('eA=='))", "obfuscation: builtins.exec of base64.b64decode"),
    ("import marshal, zlib\nexec(marshal.loads(zlib.decompress(x)))",
     "obfuscation: builtins.exec of zlib.decompress"),
    ("import marshal\nmarshal.loads(x)", "unpickling: marshal.loads"),
    ("import socket\nsocket.socket().connect(x)", "network: socket.socket"),
    ("import requests\ndef f(d): requests.post('http://x', data=d)", "network: requests.post"),
    ("import requests\nrequests.get('http://x')", "network: requests.get"),
    ("from smtplib import SMTP\nSMTP('x')", "network: smtplib.SMTP"),
    ("import ctypes\nctypes.CDLL('x.so')", "native code: ctypes.CDLL"),
    ("open('/etc/cron.d/x', 'w')", "file: /etc/cron.d/x"),
    ("open('~/x', mode='a')", "file: ~/x"),
    ("import os\nopen(os.path.expanduser('~/.bashrc'), 'a')", "file: ~/.bashrc"),
    ("from pathlib import Path\nPath('/usr/lib/x.py').write_text('y')", "file: /usr/lib/x.py"),
    ("open('/etc/passwd')", "secret: /etc/passwd"),
    ("from pathlib import Path\n(Path('~') / '.ssh' / 'id_rsa').read_text()", "secret: ~/.ssh/id_rsa"),
]  # fmt: skip

UNSURE = [
    ("import requests\ndef f(u): return requests.get(u, stream=True)", "network: requests.get"),
    ("import pickle\npickle.load(f)", "unpickling: pickle.load"),
    ("import torch\ntorch.load('x')", "unpickling: torch.load without weights_only"),
    ("import numpy as np\nnp.load('x', allow_pickle=True)", "unpickling: numpy.load with allow_pickle"),
    ("import yaml\nyaml.load(f, Loader=yaml.Loader)", "unpickling: yaml.load"),
    ("from torch.utils.cpp_extension import load\nload('x')", "native code: torch.utils.cpp_extension.load"),
    ("import os\ndict(os.environ)", "secret: os.environ"),
    ("import os\nfor k in os.environ.items(): pass", "secret: os.environ"),
    ("import os\nf(**{**os.environ})", "secret: os.environ"),
    ("import shutil\nshutil.rmtree('x')", "file: shutil.rmtree"),
    ("def compile(x): pass\ncompile(1)", "dynamic code: builtins.compile"),
    ("from importlib import import_module as i\ni(x)", "dynamic code: import_module of a computed name"),
    ("().__class__.__bases__[0].__subclasses__()", "dynamic code: __subclasses__"),
    ("M.from_pretrained('x', trust_remote_code=True)", "dynamic code: trust_remote_code=True"),
    (f"import base64 as b\nq = '{LONG}'\nb.b64decode(q)", "obfuscation: base64.b64decode of a long literal"),
]  # fmt: skip

HARMLESS = [
    "model.eval()",
    "import re\nre.compile('x')",
    "import torch\ntorch.compile(m)\ntorch.load('x', weights_only=True)",
    "import ast\nast.literal_eval('1')",
    "import os\nos.environ['X'] = '1'\nos.environ.get('Y')\nos.getenv('Z')\n'a' in os.environ",
    "import os\nos.makedirs('x', exist_ok=True)\nos.path.exists('/etc/x')",
    "import subprocess\ntry: pass\nexcept subprocess.CalledProcessError: pass",
    "import importlib\nimportlib.import_module('torch')",
    "open(vocab_file, 'w')\nopen('out/vocab.txt', 'w')\nopen('/dev/null', 'w')",
    "import yaml\nyaml.load(f, Loader=yaml.SafeLoader)\nyaml.safe_load(f)",
    "import base64\nbase64.b64decode(image)",
    "getattr(model, name)\ngetattr(torch, 'float16')",
    "'os.system(1)'\n# exec(1)",
    "class Runner:\n def exec(self): pass\n def run(self): self.exec()",
]


def found(source: str) -> set[tuple[str, Confidence]]:
    facts: Facts = read(FORMAT, source.encode(), "modeling_x.py")
    assert facts.defects == ()
    assert {hazard.kind for hazard in facts.hazards} <= {HazardKind.DANGEROUS_CODE}
    return {(hazard.found, hazard.confidence) for hazard in facts.hazards}


@pytest.mark.parametrize(("source", "expected"), SURE)
def test_dangerous_code_is_found_in_every_spelling(source: str, expected: str) -> None:
    assert (expected, Confidence.HIGH) in found(source)


@pytest.mark.parametrize(("source", "expected"), UNSURE)
def test_what_can_have_a_reason_is_told_with_less_confidence(source: str, expected: str) -> None:
    assert found(source) == {(expected, Confidence.MEDIUM)}


@pytest.mark.parametrize("source", HARMLESS)
def test_what_only_looks_dangerous_is_silent(source: str) -> None:
    assert found(source) == set()
