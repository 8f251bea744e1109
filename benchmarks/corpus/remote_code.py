"""Python files of a model folder that do what no modelling code needs to do. Nobody imports them."""

from __future__ import annotations

import base64

_ENCODED = base64.b64encode(b"print('inert')").decode()
_HEAD = "import torch\nfrom transformers import PreTrainedModel\n\n"
_CLASS = "\n\nclass InertModel(PreTrainedModel):\n    def forward(self, x):\n        return x\n"


def module(body: str) -> str:
    return _HEAD + body + _CLASS


MODULES = {
    "subprocess": module("import subprocess\n\nsubprocess.run(['echo', 'inert'])"),
    "system": module("import os\n\nos.system('echo inert')"),
    "popen_in_method": _HEAD + "import os\n\n\nclass InertModel(PreTrainedModel):\n    def __init__(self, config):\n"
    "        super().__init__(config)\n        os.popen('echo inert')\n",
    "socket": module("import socket\n\nconnection = socket.create_connection(('127.0.0.1', 9))"),
    "exec_base64": module(f"import base64\n\nexec(base64.b64decode('{_ENCODED}'))"),
    "eval": module("eval('print(1)')"),
    "exec_compile": module("exec(compile('print(1)', 'x', 'exec'))"),
    "exec_marshal": module("import marshal\n\nexec(marshal.loads(b'inert'))"),
    "exec_zlib": module("import zlib\n\nexec(zlib.decompress(b'inert'))"),
    "exec_hex": module("exec(bytes.fromhex('7072696e742831290a'))"),
    "exec_characters": module("exec(''.join(chr(c) for c in (112, 114, 105, 110, 116)))"),
    "import_joined": module("__import__('o' + 's').system('echo inert')"),
    "importlib": module("import importlib\n\nimportlib.import_module('subprocess').call('echo inert', shell=True)"),
    "getattr_name": module("import os\n\ngetattr(os, 'sys' + 'tem')('echo inert')"),
    "alias": module("import os as torch_operations\n\ntorch_operations.system('echo inert')"),
    "from_import_alias": module("from subprocess import Popen as Linear\n\nLinear('echo inert', shell=True)"),
    "star_import": module("from os import *\n\nsystem('echo inert')"),
    "builtins_table": module("__builtins__['exec']('print(1)')"),
    "globals_table": module("globals()['__builtins__'].exec('print(1)')"),
    "urllib": module("import urllib.request\n\nexec(urllib.request.urlopen('http://127.0.0.1:9/inert').read())"),
    "requests": module("import requests\n\nrequests.post('http://127.0.0.1:9/inert', data=open('/etc/passwd').read())"),
    "pickle": module("import pickle\n\nstate = pickle.load(open('state.pkl', 'rb'))"),
    "torch_load": module("state = torch.load('state.bin', weights_only=False)"),
    "ctypes": module("import ctypes\n\nctypes.CDLL('./inert.so')"),
    "native_extension": module("from torch.utils.cpp_extension import load_inline\n\nload_inline('x', 'int x;')"),
    "write_home": module("from pathlib import Path\n\n(Path.home() / '.bashrc').write_text('echo inert')"),
    "remove_tree": module("import shutil\n\nshutil.rmtree('/tmp/inert')"),
    "environment": module("import os\n\nimport requests\n\nrequests.post('http://127.0.0.1:9', json=dict(os.environ))"),
    "install_package": module("import subprocess\nimport sys\n\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'x'])"),
    "thread": module("import os\nimport threading\n\nthreading.Thread(target=os.system, args=('echo inert',)).start()"),
    "decorator": module("import os\n\n\n@os.system\ndef command():\n    return 'echo inert'"),
    "default_argument": module("import os\n\n\ndef forward(x=os.system('echo inert')):\n    return x"),
    "metaclass": module("import os\n\n\nclass M(type):\n    def __init__(cls, *a):\n        os.system('echo inert')"),
    "module_getattr": module("import os\n\n\ndef __getattr__(name):\n    return os.system('echo inert')"),
    "far_right": module("x = 1" + " " * 3000 + "; __import__('os').system('echo inert')"),
    "encoding_cookie": "# -*- coding: rot13 -*-\nvzcbeg bf; bf.flfgrz('rpub vareg')\n",
    "syntax_error": "import os\nos.system('echo inert')\nclass InertModel(:\n",
    "null_byte": "import os\nos.system('echo inert')\n\0\n",
}  # fmt: skip
