"""Known ways to run code or touch the outside from a pickle, with what each does.

This list only explains: an import is safe when an allowlist vouches for it and never because it is
missing here. So a whole module may stand in one word, and nothing depends on the list being complete.
"""

from __future__ import annotations

import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from typing import Final

from aibom.domain.facts import Import, Use

_UNRESOLVED: Final = "?"

# What it does -> modules, or names in modules, with everything below them.
_GROUPS: Final = {
    "starts a process": """
        os posix nt subprocess _posixsubprocess _winapi popen2 commands pty platform.popen
        multiprocessing _multiprocessing concurrent.futures asyncio torch.multiprocessing
        pexpect ptyprocess plumbum sh invoke fabric paramiko psutil.Popen
        idlelib.pyshell idlelib.run pydoc.pipepager pydoc.tempfilepager pydoc.pager ctypes.util
        distutils.spawn distutils.core distutils.cmd distutils.command distutils.ccompiler
        setuptools pip ensurepip venv webbrowser antigravity turtledemo
        torch.utils.collect_env torch.utils.cpp_extension torch.utils.bottleneck torch.utils.hipify
        torch._inductor torch.distributed.elastic torch.distributed.launch torch.distributed.run
        numpy.distutils numpy.f2py scipy.weave lightning.pytorch.cli
    """,
    "runs Python source": """
        builtins.eval builtins.exec builtins.execfile builtins.compile builtins.breakpoint builtins.help
        code codeop bdb pdb trace profile cProfile timeit doctest runpy unittest cgitb
        idlelib lib2to3 pydoc rlcompleter IPython ipykernel nbconvert jupyter_client jinja2 mako cffi
        numexpr sympy.sympify sympy.parsing numpy.testing pandas.eval pandas.core.computation
        PIL.ImageMath.eval PIL.ImageMath.unsafe_eval torch.jit.unsupported_tensor_ops torch._dynamo torch.fx
        torch.utils._config_module
    """,
    "builds a function from code in the file": """
        types.FunctionType types.LambdaType types.CodeType types.MethodType types.ModuleType new marshal
        dill cloudpickle joblib.externals.cloudpickle srsly.cloudpickle ray.cloudpickle pyspark.cloudpickle
        torch.package
    """,
    "imports a module by name": """
        builtins.__import__ importlib _frozen_importlib _frozen_importlib_external _imp imp ihooks pkgutil
        zipimport modulefinder site sys pkg_resources.run_script pkg_resources.load_entry_point
        torch._utils._import_dotted_name transformers.dynamic_module_utils hydra.utils
    """,
    "unpickles or loads a further file": """
        pickle _pickle cPickle shelve copyreg.pickle copyreg.add_extension copyreg.constructor
        joblib.load joblib.numpy_pickle.load joblib.numpy_pickle.NDArrayWrapper
        joblib.numpy_pickle.ZNDArrayWrapper joblib.numpy_pickle_compat joblib.numpy_pickle_utils
        joblib.memory joblib.Memory numpy.load numpy.lib.npyio numpy.lib._npyio_impl numpy.lib.format
        torch.load torch.serialization.load torch.serialization._load torch.serialization._legacy_load
        torch.jit.load torch.jit._serialization torch.hub torch.utils.model_zoo torch.distributed.rpc
        pandas.read_pickle pandas.io.pickle gensim.utils.unpickle nltk.data.load nltk.data.find
        yaml.load yaml.load_all yaml.full_load yaml.unsafe_load yaml.UnsafeLoader yaml.Loader ruamel
        jsonpickle keras.models.load_model keras.saving tensorflow.keras.models tensorflow.saved_model
        tensorflow.python.saved_model transformers.pipeline transformers.pipelines.pipeline
    """,
    "loads native code": """
        ctypes _ctypes _cffi_backend numpy.ctypeslib numpy.core.ctypeslib torch.ops torch.classes
        torch._ops tensorflow.load_op_library tensorflow.load_library
    """,
    "opens or changes files": """
        builtins.open builtins.file io.open _io.open io.open_code _io.open_code io.FileIO _io.FileIO _pyio
        codecs.open shutil tempfile fileinput linecache glob filecmp mmap zipfile tarfile gzip bz2 lzma
        sqlite3 _sqlite3 dbm gdbm anydbm whichdb py_compile compileall netrc mailbox
        configparser.ConfigParser.read distutils.file_util distutils.dir_util distutils.util
        logging.FileHandler logging.handlers logging.config dateutil.tz.tzfile dateutil.tz.tz.tzfile
        numpy.save numpy.savez numpy.savez_compressed numpy.savetxt numpy.loadtxt numpy.genfromtxt
        numpy.fromfile numpy.memmap numpy.core.memmap numpy._core.memmap numpy.DataSource
        numpy.lib._datasource torch.save torch.serialization.save torch.from_file
        pandas.io pandas.HDFStore pandas.ExcelFile pandas.ExcelWriter pandas.read_csv pandas.read_json
        pandas.read_html pandas.read_xml pandas.read_sql pandas.read_hdf pandas.read_excel
        pandas.read_table pandas.read_parquet pandas.read_feather pandas.read_orc pandas.read_stata
        pandas.read_sas scipy.io.loadmat scipy.io.savemat scipy.io.wavfile scipy.io.mmread
        sklearn.datasets.load_files sklearn.datasets.load_svmlight_file
        pyarrow.fs pyarrow.memory_map pyarrow.OSFile pyarrow.parquet fsspec h5py PIL.Image.open
        tensorflow.io tensorflow.python.lib.io xml.sax.parse xml.dom.minidom.parse
        xml.etree.ElementTree.parse
    """,
    "opens a network connection": """
        socket _socket ssl _ssl select selectors socketserver asyncore asynchat ftplib smtplib smtpd poplib
        imaplib nntplib telnetlib xmlrpc urllib.request urllib.error urllib2 http.client http.server
        wsgiref cgi requests urllib3 httpx httpcore aiohttp httplib2 websocket websockets tornado boto3
        botocore huggingface_hub smart_open torch.distributed.init_process_group wget gdown
        sklearn.datasets.fetch_openml sklearn.datasets.fetch_20newsgroups
        sklearn.datasets.fetch_california_housing sklearn.datasets.fetch_covtype
        sklearn.datasets.fetch_file sklearn.datasets._openml
    """,
    "calls what it is given": """
        builtins.map builtins.filter builtins.apply builtins.reduce functools.reduce _functools.reduce
        itertools.starmap operator.methodcaller _operator.methodcaller operator.call _operator.call
        threading _thread thread dummy_threading atexit signal gc faulthandler sched weakref.finalize
        contextlib.ExitStack tkinter _tkinter turtle curses readline joblib.Parallel joblib.parallel
        joblib.delayed numpy.vectorize numpy.frompyfunc numpy.apply_along_axis numpy.piecewise
        numpy.fromfunction
    """,
    "reaches into other objects": """
        builtins.setattr builtins.delattr builtins.vars builtins.globals builtins.locals builtins.dir
        builtins.input builtins.raw_input builtins.exit builtins.quit _sitebuiltins
        operator.setitem _operator.setitem operator.delitem _operator.delitem
    """,
}  # fmt: skip
_KNOWN: Final = {name: reason for reason, names in _GROUPS.items() for name in names.split()}
_PART_COUNT: Final = 6  # of the longest known name
_TAIL_COUNT: Final = 12  # places in a dotted name that are looked at
# What reads attributes is as dangerous as the attribute it reads.
_READERS: Final = {
    "builtins.getattr", "operator.attrgetter", "operator.getitem", "operator.itemgetter",
    "_operator.attrgetter", "_operator.getitem", "_operator.itemgetter",
}  # fmt: skip
_ATTRIBUTES: Final = frozenset(("system", "popen", "exec", "execfile", "import_module"))
# Harmless in a dangerous place. What the first one calls it is given, and that is judged by its own name.
_EXCEPTIONS: Final = frozenset(("dill._dill._create_array", "torch._dynamo.decorators._DimRange"))
_LOADING: Final = (".from_pretrained", ".load_from_checkpoint", ".load_model")
_MAKERS: Final = frozenset(("__newobj__", "__newobj_ex__"))
_DOTTED: Final = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def why_dangerous(item: Import) -> str | None:
    """What the import is known to do, as one clause; None when nothing is known against it."""
    if _UNRESOLVED in (item.module, item.qualname):
        return "has a name that cannot be resolved"
    if item.name in _EXCEPTIONS:
        return None
    names = tuple(_spellings(item))
    reason = next(filter(None, map(_known, names)), None) or _carried(item.qualname)
    if reason is None and item.use is Use.CALL and not _READERS.isdisjoint(names):
        return _read(item)
    return reason or _by_shape(item)


def _by_shape(item: Import) -> str | None:
    """What the name alone gives away, whatever library it comes from."""
    if any(map(_is_internal, item.qualname.split("."))):
        return "reaches for internals of Python"
    if item.module.partition(".")[0] == "pathlib" and "." in item.qualname:
        return "opens or changes files"
    if item.qualname.endswith(_LOADING):
        return "unpickles or loads a further file"
    return None


def _spellings(item: Import) -> Iterator[str]:
    """The full name, and the one that Python 3 reads a name of Python 2 as (`pickle`, fix_imports)."""
    yield f"{item.module}.{item.qualname}"
    if (item.module, item.qualname) in NAME_MAPPING:
        yield ".".join(NAME_MAPPING[item.module, item.qualname])
    elif item.module in IMPORT_MAPPING:
        yield f"{IMPORT_MAPPING[item.module]}.{item.qualname}"


def _known(name: str) -> str | None:
    """The reason of the longest known name that this one is, or lies in."""
    parts = name.split(".", _PART_COUNT)[:_PART_COUNT]
    heads = (".".join(parts[:stop]) for stop in range(len(parts), 0, -1))
    return next((_KNOWN[head] for head in heads if head in _KNOWN), None)


def _carried(qualname: str) -> str | None:
    """The reason of `os.system` in `path.os.system`: modules carry those that they import."""
    parts = qualname.split(".", _TAIL_COUNT)
    tails = (".".join(parts[start:]) for start in range(len(parts) - 1))
    return next(filter(None, map(_known, tails)), None)


def _is_internal(part: str) -> bool:
    return len(part) > 4 and part[:2] == part[-2:] == "__" and part not in _MAKERS


def _read(item: Import) -> str | None:
    """Why reading these attributes is dangerous; the arguments of several calls are joined by "; "."""
    if "__" in item.arguments:
        return "reads internals of Python from another object"
    quoted = [first or second for first, second in _QUOTED.findall(item.arguments)]
    owners = _DOTTED.findall(_QUOTED.sub("", item.arguments))
    for owner in owners:
        for name in (owner, *(f"{owner}.{attribute}" for attribute in quoted)):
            if _known(name):
                return f"reads an attribute of {owner[:80]}"
    return next(
        (f"reads {text[:80]!r}" for text in quoted if text in _ATTRIBUTES or _carried(f"{text}.x")), None
    )
