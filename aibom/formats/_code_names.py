"""Names of Python's library and of common packages that code of a model has little use for.

What a name stands for, and how sure it is that an ordinary model would not need it: HIGH where
none of the models that transformers itself ships does, MEDIUM where loading pictures, old
checkpoints or kernels can be a reason.
"""

from __future__ import annotations

from typing import Final

from aibom.domain.confidence import Confidence

_HIGH, _MEDIUM = Confidence.HIGH, Confidence.MEDIUM

PROCESS: Final = "process"
NETWORK: Final = "network"
DYNAMIC: Final = "dynamic code"
UNPICKLING: Final = "unpickling"
NATIVE: Final = "native code"
FILE: Final = "file"
SECRET: Final = "secret"  # noqa: S105 - the name of a group
OBFUSCATION: Final = "obfuscation"

# What the code does, for messages.
DOES: Final = {
    PROCESS: "starts a process",
    NETWORK: "opens a connection",
    DYNAMIC: "runs code that it makes or loads itself",
    UNPICKLING: "unpickles",
    NATIVE: "loads native code",
    FILE: "changes files outside of the model",
    SECRET: "reads secrets",
    OBFUSCATION: "hides what it does",
}


def _all(group: str, confidence: Confidence, text: str) -> dict[str, tuple[str, Confidence]]:
    """One entry per name; "module: a b" stands for module.a and module.b."""
    table: dict[str, tuple[str, Confidence]] = {}
    for line in text.strip().splitlines():
        module, _, names = line.partition(":")
        table |= {f"{module.strip()}.{name}": (group, confidence) for name in names.split()}
    return table


NAMES: Final = {
    **_all(PROCESS, _HIGH, """
        os: system popen startfile execl execle execlp execlpe execv execve execvp execvpe
        os: spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp forkpty
        subprocess: run call check_call check_output Popen getoutput getstatusoutput
        asyncio: create_subprocess_exec create_subprocess_shell
        asyncio.subprocess: create_subprocess_exec create_subprocess_shell
        _posixsubprocess: fork_exec
        commands: getoutput getstatusoutput
        popen2: popen2 popen3 popen4
        distutils.spawn: spawn
        setuptools._distutils.spawn: spawn
        numpy.distutils.exec_command: exec_command
        webbrowser: open open_new open_new_tab get
        pip: main
        pip._internal: main
        pip._internal.cli.main: main
        ensurepip: bootstrap
        IPython: get_ipython
    """),
    **_all(PROCESS, _MEDIUM, "os: fork kill killpg\nasyncio: SubprocessProtocol"),
    **_all(NETWORK, _HIGH, """
        socket: socket create_connection create_server socketpair fromfd
        requests: post put patch delete
        requests.api: post put patch delete
        httpx: post put patch delete
        http.client: HTTPConnection HTTPSConnection
        http.server: HTTPServer ThreadingHTTPServer
        socketserver: TCPServer UDPServer ThreadingTCPServer
        asyncio: open_connection start_server open_unix_connection
        xmlrpc.client: ServerProxy
        websocket: WebSocket WebSocketApp create_connection
        websockets: connect serve
        dns.resolver: resolve query
        ssl: wrap_socket
    """),
    **_all(NETWORK, _MEDIUM, """
        socket: getaddrinfo gethostbyname gethostbyname_ex
        urllib.request: urlopen urlretrieve Request build_opener URLopener FancyURLopener
        urllib: urlopen urlretrieve
        urllib2: urlopen Request
        requests: get head options request Session session
        requests.api: get head options request
        requests.sessions: Session
        httpx: get head request stream Client AsyncClient
        aiohttp: ClientSession request
        urllib3: PoolManager request HTTPConnectionPool HTTPSConnectionPool
        wget: download
        gdown: download
        boto3: client resource Session
        torch.hub: load_state_dict_from_url download_url_to_file
        torchvision.datasets.utils: download_url
    """),
    **_all(DYNAMIC, _HIGH, """
        builtins: eval exec
        code: interact InteractiveInterpreter InteractiveConsole
        codeop: compile_command
        runpy: run_path run_module
        imp: load_source load_compiled load_dynamic load_module
        importlib.machinery: SourceFileLoader SourcelessFileLoader ExtensionFileLoader
        zipimport: zipimporter
        cProfile: run runctx
        profile: run runctx
        pdb: run runeval runcall
        bdb: Bdb
        timeit: timeit repeat Timer
        sys: settrace setprofile
        torch.hub: load
        site: addsitedir addpackage
    """),
    **_all(DYNAMIC, _MEDIUM, """
        builtins: compile
        types: FunctionType CodeType
        importlib.util: spec_from_file_location module_from_spec spec_from_loader
        importlib.machinery: ModuleSpec
        transformers.dynamic_module_utils: get_class_from_dynamic_module get_class_in_module
        pydoc: locate
        pandas: eval
        numexpr: evaluate
    """),
    **_all(UNPICKLING, _HIGH, """
        marshal: load loads
        shelve: open
        jsonpickle: decode
        yaml: unsafe_load unsafe_load_all full_load
    """),
    **_all(UNPICKLING, _MEDIUM, """
        pickle: load loads Unpickler
        _pickle: load loads Unpickler
        cPickle: load loads Unpickler
        pickle5: load loads Unpickler
        dill: load loads Unpickler
        cloudpickle: load loads
        joblib: load
        pandas: read_pickle
        torch.package: PackageImporter
    """),
    **_all(NATIVE, _HIGH, """
        ctypes: CDLL PyDLL WinDLL OleDLL cdll windll oledll pydll pythonapi
        ctypes.cdll: LoadLibrary
        _ctypes: dlopen
        cffi: FFI
        mmap: PROT_EXEC
    """),
    **_all(NATIVE, _MEDIUM, """
        torch.utils.cpp_extension: load load_inline
        torch.ops: load_library
        torch.classes: load_library
        tensorflow: load_op_library load_library
        numpy.ctypeslib: load_library
        cupy: RawKernel RawModule
    """),
    **_all(FILE, _MEDIUM, """
        shutil: rmtree move chown
        os: remove unlink rmdir removedirs chmod chown lchown symlink link
    """),
    **_all(SECRET, _MEDIUM, """
        huggingface_hub: get_token HfFolder
        huggingface_hub.utils: get_token
        keyring: get_password get_credential
        getpass: getpass
        browser_cookie3: load chrome firefox
    """),
}  # fmt: skip

# Every name of these packages.
PACKAGES: Final = {
    "pty": PROCESS, "pexpect": PROCESS, "sh": PROCESS, "plumbum": PROCESS, "fabric": PROCESS,
    "ftplib": NETWORK, "smtplib": NETWORK, "telnetlib": NETWORK, "poplib": NETWORK, "imaplib": NETWORK,
    "nntplib": NETWORK, "paramiko": NETWORK, "pycurl": NETWORK, "scapy": NETWORK, "asyncssh": NETWORK,
    "winreg": FILE, "_winapi": PROCESS, "_winreg": FILE,
}  # fmt: skip

# The same module under another name.
ALIASES: Final = {
    "posix": "os", "nt": "os", "__builtin__": "builtins", "__builtins__": "builtins", "_io": "io",
    "_socket": "socket",
}  # fmt: skip

# Where a name that only the running code knows would be as good as any of the above.
GUARDED: Final = frozenset({"os", "subprocess", "builtins", "socket", "ctypes", "importlib", "marshal"})

DECODERS: Final = frozenset({
    "base64.b64decode", "base64.standard_b64decode", "base64.urlsafe_b64decode", "base64.b32decode",
    "base64.b16decode", "base64.a85decode", "base64.b85decode", "base64.decodebytes", "binascii.unhexlify",
    "binascii.a2b_base64", "binascii.a2b_hex", "codecs.decode", "zlib.decompress", "bz2.decompress",
    "lzma.decompress", "gzip.decompress", "marshal.loads", "builtins.bytes.fromhex",
    "builtins.bytearray.fromhex",
})  # fmt: skip
RUNNERS: Final = frozenset({
    "builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__", "pickle.loads",
    "marshal.loads", "dill.loads", "cloudpickle.loads", "types.FunctionType", "importlib.import_module",
})  # fmt: skip
# Names of Python that an expression can reach without an import.
BUILTINS: Final = frozenset({
    "eval", "exec", "compile", "open", "getattr", "setattr", "globals", "locals", "vars", "chr", "ord",
    "bytes", "bytearray", "str", "dict", "reversed", "map", "list", "tuple", "__import__", "__builtins__",
    "__loader__",
})  # fmt: skip


def known(path: str) -> tuple[str, Confidence] | None:
    """The group of a dotted name, and how sure it is that it has no business there."""
    package, _, rest = path.partition(".")
    if package in PACKAGES and rest:
        return PACKAGES[package], Confidence.HIGH
    return NAMES.get(path)


def canonical(path: str) -> str:
    """The dotted name under which the tables know a thing."""
    path = path.removeprefix("six.moves.")
    module, dot, rest = path.partition(".")
    return ALIASES.get(module, module) + dot + rest
