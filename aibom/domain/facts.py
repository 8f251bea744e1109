"""What the bytes of one file say, and nothing that they do not say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from aibom.domain.errors import Reason
from aibom.domain.hazard import Hazard


class FileKind(StrEnum):
    """What a recognised file is for."""

    WEIGHTS = "weights"
    DATA = "data"
    CONFIG = "config"
    TOKENIZER = "tokenizer"
    CARD = "card"
    INDEX = "index"  # says which shard holds which tensor
    CODE = "code"
    POINTER = "pointer"  # stands for content that is elsewhere
    ARCHIVE = "archive"  # a container of no format of its own


class Layout(StrEnum):
    """How a tensor's bytes lie in the file; only `RAW` and `DEFLATED` can be digested."""

    RAW = "raw"  # row-major, little-endian, one contiguous range
    DEFLATED = "deflated"  # the same, inside one raw deflate stream
    COLUMN_MAJOR = "column-major"
    BIG_ENDIAN = "big-endian"
    STRIDED = "strided"  # a view that skips or repeats elements of its storage
    CHUNKED = "chunked"  # several pieces, possibly compressed
    PACKED = "packed"  # encoded element by element (protobuf varints, strings)
    EXTERNAL = "external"  # in another file, see `External`


class Capability(StrEnum):
    """What loading the file may do beyond filling tensors. Facts, not verdicts."""

    IMPORTS_CODE = "imports-code"  # pickle globals
    EMBEDS_CODE = "embeds-code"  # TorchScript, Lambda layers, marshalled functions
    REMOTE_CODE = "remote-code"  # auto_map and friends
    CUSTOM_OPERATORS = "custom-operators"
    EXTERNAL_DATA = "external-data"
    CHAT_TEMPLATE = "chat-template"
    ENCRYPTED = "encrypted"


class Attribute(StrEnum):
    """The closed list of things that a card, configuration or header can state."""

    NAME = "name"
    VERSION = "version"
    DESCRIPTION = "description"
    AUTHOR = "author"
    ORGANISATION = "organisation"
    LICENCE = "licence"
    LICENCE_NAME = "licence-name"
    LICENCE_LINK = "licence-link"
    TASK = "task"
    LANGUAGE = "language"
    LIBRARY = "library"
    TAG = "tag"
    ARCHITECTURE = "architecture"  # class name, e.g. LlamaForCausalLM
    MODEL_TYPE = "model-type"  # family, e.g. llama
    PARAMETER_COUNT = "parameter-count"
    QUANTISATION = "quantisation"
    DTYPE = "dtype"
    HYPERPARAMETER = "hyperparameter"  # details: name
    BASE_MODEL = "base-model"
    BASE_MODEL_RELATION = "base-model-relation"  # finetune, adapter, quantized, merge
    DATASET = "dataset"
    METRIC = "metric"  # details: task, dataset, split, metric, verified
    CO2_GRAMS = "co2-grams"
    TRAINING_FRAMEWORK = "training-framework"
    TUNING_METHOD = "tuning-method"  # lora, qlora, ...
    TOKENIZER_CLASS = "tokenizer-class"
    VOCABULARY_SIZE = "vocabulary-size"
    CHAT_TEMPLATE_SHA256 = "chat-template-sha256"
    REMOTE_CODE = "remote-code"  # value: module.Class; details: auto class
    INPUT = "input"
    OUTPUT = "output"
    ROW_COUNT = "row-count"
    SPLIT = "split"  # details: rows, bytes
    CONFIGURATION = "configuration"
    DATA_FILE = "data-file"  # value: path or URL; details: sha256 or md5, size
    SOURCE_URL = "source-url"
    CITATION = "citation"
    INTENDED_USE = "intended-use"
    LIMITATION = "limitation"
    SENSITIVE_DATA = "sensitive-data"
    CREATED = "created"
    SYSTEM_PROMPT_SHA256 = "system-prompt-sha256"
    RUNTIME_DEPENDENCY = "runtime-dependency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One named array. `offset` and `length` are bytes in the file, as stored."""

    name: str
    dtype: str  # safetensors spelling where one exists: F32, BF16, I64, ...; else the format's own
    shape: tuple[int, ...]  # row-major
    offset: int
    length: int
    layout: Layout = Layout.RAW
    skip: int = 0  # bytes of an inner header in front of the data, after inflating

    def __post_init__(self) -> None:
        if self.offset < 0 or self.length < 0 or any(size < 0 for size in self.shape):
            raise ValueError(f"negative extent in tensor {self.name!r}")

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing a file states: closed attribute, open value, and where in the file it stands."""

    attribute: Attribute
    value: str
    pointer: str = ""  # RFC 6901 pointer or header key
    details: tuple[tuple[str, str], ...] = ()

    def detail(self, key: str) -> str | None:
        return next((value for name, value in self.details if name == key), None)


class Use(IntEnum):
    """What a pickle does with a global, ordered by what it can do to whoever loads it."""

    REFERENCE = 1  # kept as a value
    CONSTRUCT = 2  # an instance is made without calling it (NEWOBJ), and its state set
    CALL = 3  # called with arguments, or changed itself (REDUCE, INST, OBJ; BUILD on the global)

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Import:
    """A global that a pickle asks for, by exact module and qualified name.

    `inside` says where in a container the pickle lies, outermost first, joined by "!"; `offset`
    counts in the file, or in the innermost container whose content had to be inflated.
    """

    module: str
    qualname: str
    offset: int  # bytes, of the opcode that resolves it
    use: Use = Use.REFERENCE  # the most that is done with it
    kept: bool = False  # also held as a value, so that whoever gets it may call it
    arguments: str = ""  # of its first call, as far as they are literals, capped
    inside: str = ""

    @property
    def name(self) -> str:
        return f"{self.module}.{self.qualname}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """Bytes of a file that may be a file of their own: a literal of a pickle, say.

    `encoding` is what must be undone first ("base64"; "latin-1" for bytes that were written as text),
    None for the bytes as they stand.
    """

    offset: int
    length: int
    encoding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of tabular data, with the type in the format's own words."""

    name: str
    type: str
    nullable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Tensor bytes that live in another file, relative to the referring one."""

    path: str  # as written: hostile, never opened before it is checked
    tensor: Tensor  # offset and length inside that other file


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open byte range of a file."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a range: {self.start}..{self.end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Something wrong with the bytes that did not stop the reading; it becomes a `Gap`."""

    reason: Reason
    message: str
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything one reader found in one file."""

    format: str  # name of a registered format
    kind: FileKind
    version: str | None = None  # of the format, where it has one
    tensors: tuple[Tensor, ...] = ()
    covered: tuple[Span, ...] = ()  # headers, indexes, padding that the format defines
    statements: tuple[Statement, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()  # free text of the file, capped
    imports: tuple[Import, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    nested: tuple[Nested, ...] = ()
    capabilities: frozenset[Capability] = frozenset()
    columns: tuple[Column, ...] = ()
    rows: int | None = None
    external: tuple[External, ...] = ()
    shards: tuple[str, ...] = ()  # files that an index names, as written
    indexed: bool = False  # True: tensors and covered ranges claim to explain every byte
    unread: bool = False  # True: only format and kind are known, the rest was not or could not be read
    defects: tuple[Defect, ...] = ()  # why these facts are not the whole story

    def values(self, attribute: Attribute) -> tuple[str, ...]:
        """All stated values of one attribute, in file order."""
        return tuple(s.value for s in self.statements if s.attribute is attribute)

    def first(self, attribute: Attribute) -> str | None:
        return next((s.value for s in self.statements if s.attribute is attribute), None)
