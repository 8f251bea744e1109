"""Packs: what is refused, what one vouches for, and what the shipped ones may never hold."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import io
import json
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.facts import Import, Use
from aibom.policy.allowlist import (
    PACK_BYTES,
    PACK_ENTRY_COUNT,
    Allowlist,
    PackError,
    parse_pack,
)
from aibom.readers import pickle as pickles
from aibom.readers.ranges import Budgeted, Memory

PACKS = sorted((Path(__file__).parent.parent.parent / "policies" / "allowlists").glob("*.json"))
SHIPPED = Allowlist(packs=tuple(parse_pack(path.read_bytes()) for path in PACKS))


def document(**changes: object) -> bytes:
    whole: dict[str, object] = {
        "version": 1,
        "name": "own",
        "release": "2026.11",
        "sections": [{"source": "our models", "modules": {"our.net": {"construct": "Net"}}}],
    }
    return json.dumps(whole | changes).encode()


def sections(modules: object, **changes: object) -> bytes:
    return document(sections=[{"source": "our models", "modules": modules} | changes])


def used(module: str, qualname: str, use: Use) -> Import:
    return Import(module=module, qualname=qualname, offset=0, use=use)


def uses(allowlist: Allowlist, module: str, qualname: str) -> set[Use]:
    return {use for use in Use if allowlist.vouching(used(module, qualname, use))}


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        ("reference", {Use.REFERENCE}),
        ("instance", {Use.CONSTRUCT}),
        ("construct", {Use.REFERENCE, Use.CONSTRUCT}),
        ("call", set(Use)),
    ],
)
def test_a_mode_allows_its_uses_and_no_other(mode: str, allowed: set[Use]) -> None:
    allowlist = Allowlist(packs=(parse_pack(sections({"our.net": {mode: "Encoder Net"}})),))
    assert uses(allowlist, "our.net", "Net") == uses(allowlist, "our.net", "Encoder") == allowed


@pytest.mark.parametrize(
    ("module", "qualname"),
    [
        ("our.net", "Net.forward"),
        ("our.net", "net"),
        ("our.net", "Ne"),
        ("our", "net.Net"),
        ("our.net.Net", ""),
        ("our", "Net"),
        ("our.net ", "Net"),
        ("our.net.parts", "Net"),
        ("", "our.net.Net"),
        ("our.net", "Net Other"),
    ],
)
def test_only_the_exact_name_is_allowed(module: str, qualname: str) -> None:
    allowlist = Allowlist(packs=(parse_pack(sections({"our.net": {"call": "Net Other"}})),))
    assert uses(allowlist, module, qualname) == set()


def test_the_pack_that_vouches_is_named_with_its_release() -> None:
    first = parse_pack(document())
    second = parse_pack(sections({"our.net": {"call": "Net Late"}}) + b"\n")
    allowlist = Allowlist(packs=(first, second))
    assert allowlist.vouching(used("our.net", "Net", Use.CONSTRUCT)) == "own 2026.11"
    assert allowlist.vouching(used("our.net", "Net", Use.CALL)) == "own 2026.11"
    assert allowlist.vouching(used("our.net", "Late", Use.CALL)) == "own 2026.11"
    assert first.sha256 != second.sha256
    assert Allowlist(packs=()).vouching(used("our.net", "Net", Use.REFERENCE)) is None


_MANY = " ".join(f"n{number}" for number in range(PACK_ENTRY_COUNT + 1))
_REFUSED = [
    (b"", "not JSON"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[]", "an allowlist pack must be an object"),
    (b"[" * 100_000, "more than 64000 values"),
    (b"[" * 60_000, "nested too deeply"),
    (b" " * (PACK_BYTES + 1), f"larger than {PACK_BYTES} bytes"),
    (document(version=2), "version must be 1"),
    (document(version=True, extra=1), "unknown key 'extra'"),
    (document(name=None), "name must be a text"),
    (document(name=""), "name must be up to 64"),
    (document(name="Own Pack"), "name must be up to 64"),
    (document(release=2026), "release must be a text"),
    (document(description=1), "description must be a text"),
    (document(sections={}), "sections must be a list"),
    (document(sections=[]), "sections must be a list"),
    (document(sections=["torch"]), "sections[0] must be an object"),
    (sections({"a": {"call": "B"}}, roots=["a"]), "sections[0]: unknown key 'roots'"),
    (sections({"a": {"call": "B"}}, source=""), "sections[0]: source must say"),
    (sections({"a": {"call": "B"}}, source=1), "sections[0]: source must be a text"),
    (sections({"a": {"call": "B"}}, since=2), "sections[0]: since must be a text"),
    (sections({}), "sections[0]: modules must name"),
    (sections(["torch"]), "sections[0]: modules must name"),
    (sections({"torch": {}}), "torch: a module alone is not allowed"),
    (sections({"torch": "*"}), "torch: a module alone is not allowed"),
    (sections({"torch": None}), "torch: a module alone is not allowed"),
    (sections({"": {"call": "B"}}), "sections[0]: '' is not an exact dotted name"),
    (sections({"torch.*": {"call": "B"}}), "'torch.*' is not an exact dotted name; there are no wildcards"),
    (sections({"torch nn": {"call": "B"}}), "'torch nn' is more than one module"),
    (sections({"torch": {"call": ""}}), "torch: '' is not an exact dotted name"),
    (sections({"torch": {"call": "*"}}), "torch: '*' is not an exact dotted name"),
    (sections({"torch": {"call": "A  B"}}), "torch: '' is not an exact dotted name"),
    (sections({"torch": {"call": "A\nB"}}), "torch: 'A\\nB' is not an exact dotted name"),
    (sections({"torch": {"call": "A B?"}}), "torch: 'B?' is not an exact dotted name"),
    (sections({"torch": {"call": ".A"}}), "torch: '.A' is not an exact dotted name"),
    (sections({"torch": {"call": "A..B"}}), "torch: 'A..B' is not an exact dotted name"),
    (sections({"torch": {"call": "1A"}}), "torch: '1A' is not an exact dotted name"),
    (sections({"torch": {"call": "Ä"}}), "torch: 'Ä' is not an exact dotted name"),
    (sections({"torch": {"call": ["A"]}}), "torch: call must be a text"),
    (sections({"torch": {"run": "A"}}), "torch: mode 'run' is none of reference, instance, construct, call"),
    (sections({"torch": {"call": "A A"}}), "torch: A stands here twice"),
    (sections({"torch": {"call": "A", "reference": "A"}}), "torch: A stands here twice"),
    (sections({"torch": {"call": _MANY}}), "torch: more than 20000 entries"),
    (b'{"version": 1, "version": 1}', "duplicate key 'version'"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "words"), _REFUSED, ids=[words[:40] for _, words in _REFUSED])
def test_a_document_that_is_no_pack_is_refused_with_place_and_reason(data: bytes, words: str) -> None:
    with pytest.raises(PackError) as caught:
        parse_pack(data)
    assert words in str(caught.value)


def test_a_name_in_two_sections_is_refused() -> None:
    section = {"source": "x", "modules": {"a": {"call": "B"}}}
    with pytest.raises(PackError, match=r"sections\[1\]: a: B stands here twice"):
        parse_pack(document(sections=[section, section]))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_are_refused_and_raise_nothing_else(data: bytes) -> None:
    with pytest.raises(PackError):
        parse_pack(data)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(("version", "name", "release", "description", "sections")), _ANY)
def test_a_member_of_any_type_is_read_or_refused(key: str, value: object) -> None:
    with contextlib.suppress(PackError):
        assert parse_pack(document(**{key: value})).sha256


_WORD = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}(\.[A-Za-z_][A-Za-z0-9_]{0,5}){0,2}", fullmatch=True)


@given(
    st.dictionaries(
        _WORD,
        st.dictionaries(_WORD, st.sampled_from(("reference", "construct", "call")), min_size=1, max_size=4),
        max_size=4,
    )
)
def test_every_written_name_is_read_and_nothing_else(names: dict[str, dict[str, str]]) -> None:
    modules = {
        module: {mode: " ".join(n for n in listed if listed[n] == mode) for mode in set(listed.values())}
        for module, listed in names.items()
    }
    if modules:
        entries = parse_pack(sections(modules)).entries
        assert set(entries) == {(module, name) for module, listed in names.items() for name in listed}
        assert all(max(entries[key]).label == names[key[0]][key[1]] for key in entries)


# The shipped packs

# Written as a pickle spells them: module, then qualified names.
_NEVER = """
    os: system popen execv execve execvp spawnl spawnv fork posix_spawn remove unlink rename open putenv kill
    posix: system popen execv fork open posix_spawn
    nt: system popen startfile
    os.path: join exists expandvars
    subprocess: Popen run call check_call check_output getoutput getstatusoutput CompletedProcess
    _posixsubprocess: fork_exec
    _winapi: CreateProcess
    commands: getoutput
    popen2: popen3
    pty: spawn fork
    platform: popen system
    builtins: eval exec compile open getattr setattr delattr __import__ globals locals vars dir map filter
    builtins: breakpoint input print help memoryview property classmethod super sorted max min iter
    __builtin__: eval execfile compile open file getattr setattr __import__ apply reduce map filter input
    io: open open_code FileIO TextIOWrapper BufferedReader
    _io: open open_code FileIO TextIOWrapper
    _pyio: open FileIO
    codecs: open encode decode
    _codecs: decode lookup register
    importlib: import_module reload __import__
    importlib.machinery: SourceFileLoader ExtensionFileLoader
    importlib.util: spec_from_file_location
    _frozen_importlib: _find_and_load
    imp: load_source load_module find_module
    pkgutil: resolve_name get_loader get_data
    zipimport: zipimporter
    runpy: run_path run_module _run_code
    code: InteractiveInterpreter InteractiveConsole interact
    code: InteractiveInterpreter.runcode
    codeop: compile_command
    bdb: Bdb Bdb.run
    pdb: run runeval Pdb set_trace
    timeit: timeit main Timer
    cProfile: run runctx Profile.run
    profile: run runctx Profile.run Profile.runctx
    trace: Trace Trace.run Trace.runctx
    doctest: debug_script debug testfile
    unittest: main
    pydoc: pipepager tempfilepager locate safeimport
    idlelib.pyshell: ModifiedInterpreter.runcode
    idlelib.run: Executive.runcode
    idlelib.autocomplete: AutoComplete.get_entity
    idlelib.calltip: Calltip.fetch_tip get_entity
    lib2to3.pgen2.grammar: Grammar.loads
    lib2to3.pgen2.pgen: ParserGenerator.make_label
    distutils.spawn: spawn
    distutils.file_util: write_file copy_file
    setuptools: setup
    pip: main
    pip._internal: main
    ensurepip: bootstrap _run_pip
    venv: create EnvBuilder
    asyncio: run create_subprocess_shell create_subprocess_exec
    asyncio.unix_events: _UnixSubprocessTransport._start
    multiprocessing: Process Pool
    multiprocessing.util: spawnv_passfds
    multiprocessing.reduction: ForkingPickler.loads
    concurrent.futures: ProcessPoolExecutor ThreadPoolExecutor
    concurrent.futures.thread: ThreadPoolExecutor
    threading: Thread Timer
    _thread: start_new_thread
    signal: signal alarm
    atexit: register
    gc: get_objects get_referrers
    inspect: getattr_static getsource
    sys: settrace exit _getframe setprofile
    sys: modules path modules.get
    socket: socket create_connection
    _socket: socket
    ssl: get_server_certificate SSLContext
    http.client: HTTPConnection HTTPSConnection
    http.server: HTTPServer test
    urllib.request: urlopen urlretrieve build_opener
    urllib2: urlopen
    ftplib: FTP FTP_TLS
    smtplib: SMTP SMTP.sendmail
    imaplib: IMAP4 IMAP4_stream
    poplib: POP3
    nntplib: NNTP
    telnetlib: Telnet
    socketserver: TCPServer
    xmlrpc.client: ServerProxy
    webbrowser: open open_new Chrome
    shutil: rmtree copy copyfile move make_archive unpack_archive
    tempfile: NamedTemporaryFile mkstemp mkdtemp mktemp TemporaryDirectory
    fileinput: input FileInput
    linecache: getline updatecache getlines
    glob: glob iglob
    mmap: mmap
    zipfile: ZipFile ZipFile.extractall
    tarfile: open TarFile TarFile.extractall
    gzip: open GzipFile
    bz2: open
    lzma: open
    logging: FileHandler StreamHandler
    logging.config: fileConfig dictConfig listen
    logging.handlers: RotatingFileHandler SocketHandler HTTPHandler
    sqlite3: connect Connection Connection.load_extension
    dbm: open
    shelve: open Shelf DbfilenameShelf
    marshal: loads load
    pickle: loads load Unpickler _loads Unpickler.load
    _pickle: loads load Unpickler
    cPickle: loads load
    copyreg: pickle add_extension constructor __newobj__ __newobj_ex__
    copy_reg: pickle __newobj__
    ctypes: CDLL cdll.LoadLibrary PyDLL string_at memmove CFUNCTYPE
    ctypes.util: find_library _findLib_gcc
    _ctypes: dlopen CFuncPtr LoadLibrary
    types: FunctionType CodeType LambdaType MethodType ModuleType GenericAlias BuiltinFunctionType
    functools: partial reduce partialmethod singledispatch cached_property
    _functools: partial reduce
    operator: attrgetter itemgetter methodcaller call getitem setitem
    _operator: attrgetter methodcaller
    itertools: starmap count cycle repeat
    collections: OrderedDict.__init__ namedtuple ChainMap
    weakref: finalize ref
    contextlib: ExitStack
    pathlib: Path.write_text Path.unlink Path.open Path.rename Path.read_text PosixPath.write_bytes
    pathlib._local: Path.write_text
    zoneinfo: ZoneInfo.from_file
    dateutil.tz: tzfile
    dateutil.tz.tz: tzfile
    tkinter: Tk
    turtle: write_docstringdict config_dict
    IPython: embed start_ipython
    IPython.core.interactiveshell: InteractiveShell.system
    jinja2: Template Environment
    jinja2.environment: Template
    cffi: FFI
    dill: loads load
    dill._dill: _create_function _create_code _import_module _load_type _getattribute
    cloudpickle: loads
    cloudpickle.cloudpickle: _make_function subimport _builtin_type _make_skeleton_class
    joblib: load Parallel delayed Memory dump
    joblib.numpy_pickle: load dump NDArrayWrapper ZNDArrayWrapper NumpyArrayWrapper.read
    joblib.numpy_pickle_compat: NDArrayWrapper ZNDArrayWrapper
    joblib.memory: Memory MemorizedFunc
    numpy: load loadtxt fromfile memmap save savez genfromtxt frompyfunc vectorize fromregex
    numpy: apply_along_axis piecewise DataSource load_library
    numpy.core: memmap _ufunc_reconstruct
    numpy._core: memmap
    numpy.ctypeslib: load_library
    numpy.testing: rundocs assert_raises
    numpy.testing._private.utils: runstring rundocs
    numpy.f2py: compile run_main main
    numpy.f2py.crackfortran: getlincoef myeval _eval_length param_eval
    numpy.f2py.diagnose: run_command
    numpy.distutils.exec_command: exec_command _exec_command
    numpy.lib.npyio: load NpzFile
    numpy.lib._npyio_impl: load NpzFile
    torch: load save compile from_file
    torch.serialization: load save _load _legacy_load os.system
    torch.hub: load download_url_to_file load_state_dict_from_url
    torch.ops: load_library
    torch.jit: load
    torch.classes: load_library
    torch.utils.cpp_extension: load load_inline
    torch.utils.collect_env: run run_and_read_all
    torch.utils.bottleneck.__main__: run_cprofile run_autograd_prof
    torch.utils.data.datapipes.utils.decoder: basichandlers
    torch.utils.data.dataloader: DataLoader
    torch.utils._config_module: ConfigModule.load_config
    torch._dynamo.guards: GuardBuilder.get
    torch._inductor.codecache: compile_file PyCodeCache.load
    torch.fx.experimental.symbolic_shapes: ShapeEnv.evaluate_guards_expression
    torch.fx.graph_module: GraphModule reduce_graph_module _forward_from_src
    torch.jit.unsupported_tensor_ops: execWrapper
    torch.package: PackageImporter
    torch.distributed.rpc: rpc_sync
    torch.nn.parallel.distributed: DistributedDataParallel
    torch.storage: _load_from_bytes.__globals__
    pandas: read_pickle read_csv read_json read_sql eval read_html HDFStore to_pickle
    pandas.core.frame: DataFrame.query DataFrame.eval DataFrame.to_pickle
    pandas.io.pickle: read_pickle
    pandas.io.common: get_handle
    pandas.core.computation.eval: eval
    pandas.core.computation.expr: Expr
    scipy.io: loadmat
    scipy.weave: inline
    scipy.stats._continuous_distns: norm_gen uniform_gen
    scipy.stats._discrete_distns: randint_gen
    scipy.stats._distn_infrastructure: rv_frozen rv_continuous_frozen rv_continuous rv_generic
    sklearn.datasets: fetch_openml load_files fetch_20newsgroups load_svmlight_file
    sklearn.datasets._openml: fetch_openml
    sklearn.callback._scoring_monitor: ScoringMonitor
    sklearn.utils._testing: run_module_suite
    xgboost.core: DMatrix
    lightgbm.basic: Dataset
    transformers: pipeline AutoModel.from_pretrained AutoTokenizer.from_pretrained
    transformers.pipelines: pipeline
    transformers.modeling_utils: PreTrainedModel.from_pretrained
    transformers.models.bert.modeling_bert: BertModel.from_pretrained
    transformers.dynamic_module_utils: get_class_from_dynamic_module
    transformers.models.siglip.tokenization_siglip: SiglipTokenizer
    flair.embeddings.token: TransformerWordEmbeddings
    spacy: load
    spacy.tokens.doc: unpickle_doc
    spacy.vocab: unpickle_vocab
    spacy.util: load_model
    gensim.utils: unpickle
    nltk.data: load find
    ultralytics: YOLO
    ultralytics.nn.tasks: parse_model attempt_load_weights torch_safe_load
    ultralytics.nn.autobackend: AutoBackend
    datasets: load_dataset
    datasets.builder: DatasetBuilder
    fsspec: open
    pyarrow.fs: LocalFileSystem
    h5py: File
    yaml: load unsafe_load
    omegaconf.omegaconf: OmegaConf.register_new_resolver
    mmengine.config.lazy: LazyObject LazyAttr
    hydra.utils: instantiate get_method
    PIL.ImageMath: eval
    sympy: sympify
    huggingface_hub: hf_hub_download
    requests: get
    keras.models: load_model
    tensorflow.io: read_file
    __main__: Model
    models.common: Conv
"""


def never() -> list[tuple[str, str]]:
    lines = (line.partition(":") for line in _NEVER.split("\n") if line.strip())
    return [(module.strip(), name) for module, _, names in lines for name in names.split()]


def test_what_runs_code_or_touches_the_outside_is_in_no_pack_for_any_use() -> None:
    assert len(never()) >= 400
    assert [name for name in never() if uses(SHIPPED, *name)] == []


def test_the_file_name_is_the_name_of_the_pack_and_no_name_is_in_two() -> None:
    assert [pack.name for pack in SHIPPED.packs] == [path.stem for path in PACKS]
    count = Counter(name for pack in SHIPPED.packs for name in pack.entries)
    assert count.most_common(1)[0][1] == 1
    assert len(count) > 5_000


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_shipped_pack_is_sorted_so_that_a_change_is_a_small_difference(path: Path) -> None:
    whole = json.loads(path.read_bytes())
    assert path.read_text("utf-8") == json.dumps(whole, indent=1) + "\n"
    assert list(whole) == ["version", "name", "release", "description", "sections"]
    for section in whole["sections"]:
        assert list(section["modules"]) == sorted(section["modules"])
        for modes in section["modules"].values():
            assert all(text.split(" ") == sorted(text.split(" ")) for text in modes.values())
    sources = [section["source"] for section in whole["sections"]]
    assert sources == sorted(sources)


def test_of_the_standard_library_only_values_are_listed() -> None:
    listed = {module for pack in SHIPPED.packs for module, _ in pack.entries}
    assert {module for module in listed if module.partition(".")[0] in sys.stdlib_module_names} == {
        "_codecs", "_io", "argparse", "array", "builtins", "collections", "copyreg", "datetime", "decimal",
        "enum", "io", "pathlib", "pathlib._local", "random", "re", "types", "typing", "uuid", "zoneinfo",
    }  # fmt: skip


def test_no_pack_allows_more_of_a_python_2_name_than_of_the_one_it_is_read_as() -> None:
    for pack in SHIPPED.packs:
        for module, name in pack.entries:
            read = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
            assert uses(SHIPPED, module, name) <= uses(SHIPPED, *read) or name == "long", (module, name)


def test_a_class_that_runs_code_when_called_may_only_be_made() -> None:
    for module, name in (
        ("ultralytics.nn.tasks", "DetectionModel"),
        ("transformers.training_args", "TrainingArguments"),
        ("lightgbm.basic", "Booster"),
        ("xgboost.core", "Booster"),
    ):
        assert uses(SHIPPED, module, name) == {Use.CONSTRUCT}


_VALUES = {
    "standard library": [
        OrderedDict(a=1), defaultdict(list, a=[1]), deque([1]), Counter("ab"), {1, 2}, frozenset((3,)), 2j,
        slice(1), range(3), bytearray(b"x"), b"bytes", ..., uuid.UUID(int=5), Decimal("1.5"),
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.timedelta(1), pathlib.PurePosixPath("a/b"),
        random.Random(1), argparse.Namespace(a=1), types.SimpleNamespace(a=1), re.compile("a"),
    ],
    "numpy": [
        np.arange(6).reshape(2, 3), np.asfortranarray(np.ones((2, 3))), np.float32(1), np.dtype("M8[ns]"),
        np.float64, np.zeros(2, dtype="i4,f8"), np.ma.array([1, 2], mask=[0, 1]), np.ma.masked, np.log1p,
        np.array([{}, None], dtype=object), np.rec.array([(1, 2.0)], dtype="i4,f8"), type(np.dtype("f8")),
        np.random.default_rng(1), np.random.RandomState(1), np.random.PCG64(1),
        np.polynomial.Polynomial([1, 2]), np.str_("a"),
    ],
}  # fmt: skip


def imported(data: bytes) -> tuple[Import, ...]:
    return pickles.run(Budgeted(Memory(data))).imports


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("group", _VALUES)
def test_values_of_the_real_libraries_are_allowed(group: str, protocol: int) -> None:
    for value in _VALUES[group]:
        data = pickle.dumps(value, protocol)
        for item in imported(data):
            assert SHIPPED.vouching(item), item


def test_what_joblib_writes_is_allowed() -> None:
    written = io.BytesIO()
    joblib.dump({"weights": np.arange(3.0)}, written)
    imports = imported(written.getvalue())
    assert imports
    assert all(map(SHIPPED.vouching, imports))
