"""Which names are taken for those of well-known organisations, and which must not be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.finding import Finding, Location
from aibom.domain.ref import Ref
from aibom.domain.reference import Reference
from aibom.policy.organisations import ORGANISATIONS
from aibom.policy.rules.look_alike import RULE, resembled
from tests.builders import report

# Organisations and persons that code and documentation of public projects load from.
REAL = (
    "01ai", "aari1995", "abhinand", "Abirate", "ACE-Step", "adept", "adrlau", "afrizalha", "agkphysics",
    "ai-earth", "AI-ModelScope", "AI-Research", "AIDC-AI", "AIML-TUDA", "AITeamVN", "akshan-main",
    "AlanPonnachan", "albarji", "albert", "Albertmade", "alexandrainst", "alibaba-pai", "alighasemi",
    "alimama-creative", "allegro", "Alpha-VLLM", "alvarobartt", "ambean", "amphion", "amphora",
    "andersborges", "Andrianos", "anhnct", "anime-sh", "annamodels", "Anthropic", "AQ-MedAI", "arcee-globe",
    "ArtificialAnalysis", "asapp", "asparius", "ATH-MaaS", "atheer2104", "athrael-soju", "avsolatorio",
    "axiotic", "ayushtues", "baber", "Baichuan", "BASF-AI", "BeIR", "BelleGroup", "berkeley-nest",
    "BestWishYsh", "bflhc", "bglick13", "BidirLM", "bigbio", "bisectgroup", "bkai-foundation-models",
    "BleachNick", "BMRetriever", "bond005", "BorisTM", "botp", "brad-twinkl", "brahmairesearch", "briaai",
    "BSC-LT", "BUAADreamer", "bullerwins", "C-MTEB", "CaasiHUANG", "cais", "camel-ai", "CaptainZZZ",
    "carlofkl", "CarperAI", "casperhansen", "cassanof", "castorini", "Cerru02", "cfli", "charactr",
    "CiaraRowles", "CIDAS", "cimec", "cindy90", "city96", "cl-nagoya", "cl-tohoku", "clarin-knext",
    "clinia", "clip-benchmark", "clips", "cnmoro", "code-rag-bench", "codefuse-ai", "codellama",
    "codeparrot", "codesage", "Cohere", "cointegrated", "CoIR-Retrieval", "colbert-ir", "comfyanonymous",
    "community-datasets", "Congliu", "consciousAI", "contextboxai", "cpatonn", "croissantllm",
    "cross-encoder-testing", "csebuetnlp", "cvssp", "dagbs", "danavery", "dangvantuan", "DataCanvas",
    "DataScience-UIBK", "DavyMorgan", "DDSC", "Deci", "deepfile", "DeepFloyd", "deeplang-ai", "DeepPavlov",
    "deepreinforce-ai", "deepvk", "derek-thomas", "DEVAIEXP", "DianJin", "diffusers-internal-dev", "Disty0",
    "dmedhi", "DMetaSoul", "dragonkue", "dreamlike-art", "dsfsi", "dukesun99", "Duxiaoman-DI", "dwzhu",
    "eagerworks", "edinburgh-dawg", "eduagarcia", "ehartford", "eherra", "Electrotubbie", "elismasilva",
    "ellamind", "embedding-benchmark", "emilianJR", "emillykkejensen", "empirischtech", "encord-team",
    "epfl-dlab", "erikkaum", "ethz", "evalplus", "EximiusLabs", "fal", "fewshot-goes-multilingual",
    "FireRedTeam", "FiscalNote", "flax-sentence-embeddings", "florence-community", "flwrlabs", "fofr",
    "frankjoshua", "FreedomIntelligence", "friedrichor", "funasr", "FunAudioLLM", "fyaronskiy", "GAIR",
    "geevec-ai", "genmo", "gentaiscool", "geoffsee", "GeoGPT-Research-Project", "giantfish-fly", "giulio98",
    "glaiveai", "gplsi", "gpustack", "gradio", "GreenNode", "GritLM", "GroNLP", "groq", "guoyww",
    "gzguevara", "h2oai", "h94", "HAERAE-HUB", "hails", "hamedhf", "Hanno-Labs", "haoheliu", "Haon-Chen",
    "harmonai", "HasturOfficial", "HausaNLP", "HCAI", "hcfa", "Hennara", "hf-audio", "hfl", "hicai-zju",
    "HiDream-ai", "hishab", "HIT-TMG", "hitachi-nlp", "HiTZ", "hiyouga", "hlky", "HooshvareLab",
    "hotchpotch", "HPAI-BSC", "huggan", "huggingface-projects", "HuggingFaceBR4", "HuggingFaceGECLM",
    "huihui-ai", "huihuixu", "Hum-Works", "hunyuanvideo-community", "iampanda", "iara-project", "ICBU-NPU",
    "ICT-TIME-and-Querit", "Idavidrein", "IDEA-Research", "ideogram-ai", "IEITYuan", "ikala",
    "illuin-conteb", "IlyaGusev", "inclusionAI", "IndexTeam", "indonlp", "infgrad", "infly", "InstantX",
    "inverse-scaling", "isaacchung", "isaacus", "it-at-m", "IWSLT", "izhx", "jakiAJK", "jan-hq",
    "jarrelscy", "Jaume", "jdopensource", "jealk", "jellyheadnadrew", "Jerry0", "JetBrains", "jhgan",
    "jhu-clsp", "jlli", "Joqsan", "JosephusCheung", "jugg1024", "juletxara", "julianmoraes", "jumelet",
    "JunHowie", "JUNJIE99", "jupyterjazz", "kadirnar", "kakaocorp", "KaLM-Embedding", "kandinskylab",
    "kardosdrur", "kashif", "KbsdJames", "KennethEnevoldsen", "keramjan", "kernels-community", "KFST",
    "Kijai", "Kingsoft-LLM", "KirillR", "KiteFishAI", "klue", "KoboldAI", "kohbanye", "Kowshik24", "krea",
    "Kwaipilot", "LabHC", "Lajavaness", "lambdalabs", "LanguageBind", "latitudegames", "LCO-Embedding",
    "legraphista", "li-lab", "lier007", "lighteval", "lightonai", "lightx2v", "LiheYoung",
    "line-corporation", "LingoIITGN", "linoyts", "Linq-AI-Research", "liuzhenghua", "llamaindex",
    "lldacing", "LLM-Research", "llm-semantic-router", "llmrails", "lm-pub-quiz", "lodestones", "longlian",
    "lora-library", "louzongzhi", "LSDSem", "ltg", "lucasnewman", "LumiOpen", "lxercode", "Lykon",
    "lyon-nlp", "m-a-p", "m3hrdadfi", "maastrichtlawtech", "madrylab", "Magpie-Align", "maidalun",
    "maidalun1020", "malenia1", "malteos", "mangopy", "ManiacLabs", "manveertamber", "masakhane", "math-ai",
    "matthewagi", "MattiaSangermano", "maximegmd", "maxin-cn", "Maxwell-Jia", "mayflowergmbh",
    "MaziyarPanahi", "MBZUAI-Paris", "MCG-NJU", "McGill-NLP", "MCINext", "MediaTek-Research",
    "mehrzad-shahin", "meituan-longcat", "Menlo", "Metric-AI", "mhdang", "mideind", "Mihaiii", "minetta",
    "MiniMax", "minishlab", "mispeech", "mistral-community", "MIT", "mit-han-lab", "mlabonne",
    "mlexplorer008", "mlfoundations", "mlsa-iai-msu-lab", "moca-embed", "ModelCloud", "modelscope",
    "ModernVBERT", "moka-ai", "Mollel", "MongoDB", "Motif-Technologies", "mteb", "Muennighoff",
    "multimodalart", "MushanW", "myrkur", "myshell-ai", "NagaSaiAbhinay", "NaiveNeuron", "Nanbeige",
    "nanotron", "nanovdr", "navjordj", "nbel", "NeelNanda", "Nekochu", "NeuML", "NeverSleep", "nex-agi",
    "nguha", "nicher92", "NIH-CARD", "nik1995", "nilc-nlp", "NiniCat", "nishitanand", "nitrosocke",
    "njindal", "nlpai-lab", "NLPC-UOM", "Norod78", "NortheasternUniversity", "NovaSearch", "nreimers",
    "NucleusAI", "nyu-visionx", "OALL", "OdiaGenAI", "OFA-Sys", "ogkalu", "okwinds", "olm", "omarelshehy",
    "Omartificial-Intelligence-Space", "on-and-on", "onnx", "open-llm-leaderboard", "Open-Orca", "open-r1",
    "opencompass", "OpenDFM", "OpenGenAI", "OpenLemur", "openlifescienceai", "OpenMEDLab", "openmmlab",
    "OpenMOSS-Team", "OpenMuQ", "openMUSE", "OpenSearch-AI", "OpenStellarTeam", "openvino", "optimum",
    "orai-nlp", "OrdalieTech", "OrionStarAI", "orionweller", "oskarvanderwal", "ostris", "osunlp",
    "Overworld", "OzzyGT", "PaDaS-Lab", "papluca", "PartAI", "perplexity-ai", "Photoroom", "Pixel-Linguist",
    "PL-MTEB", "PlanTL-GOB-ES", "pleisto", "polm-stability", "PORTULAN", "PrimeIntellect", "prince-canuma",
    "princeton-nlp", "prithivMLmods", "projecte-aina", "proxectonos", "prs-eth", "PrunaAI", "ptx0",
    "Putnam-AXIOM", "PygmalionAI", "QCRI", "qiaojin", "qihoo360", "QingyiSi", "qintongli", "Qodo",
    "QuanSun", "QuantStack", "QuantTrio", "Quazim0t0", "R-Bench", "R2MED", "rafalposwiata", "Rakuten",
    "rasgaard", "RASPIAUDIO", "rasyosef", "raulc0399", "reasonir", "replicate", "rhymes-ai",
    "RichardErkhov", "richinfoai", "RikkaBotan", "rinna", "RMT-team", "rootonchair", "Rowan", "royokong",
    "RUC-AIBOX", "rufimelo", "ruixiangma", "Ruqiya", "RWKV", "sadeem-ai", "sahil2801", "Sailesh97",
    "samaya-ai", "SamilPwC-AXNode-GenAI", "Sao10K", "sayakpaul", "sbintuitions", "sbunlp",
    "sd-concepts-library", "sd-dreambooth-library", "sdadas", "SeaLLMs", "sensenova",
    "sentence-transformers-testing", "sepidmnorozy", "sergeyzh", "SeyedAli", "Shakker-Labs", "shenzhi-wang",
    "shibing624", "Shitao", "shunk031", "Shuu12121", "shuyuej", "SI2M-Lab", "silky1708", "silma-ai",
    "Singaraj", "sionic-ai", "skt", "skylenage-ai", "Skywork", "slvnwhrl", "society-ethics", "solidrust",
    "Sony", "sparse-encoder-testing", "spartan8806", "ssube", "stable-diffusion-v1-5", "stablediffusionapi",
    "stepfun-ai", "stephantulkens", "StevenZhang", "stevhliu", "stockmark", "SUFE-AIFLM-Lab", "sun1245",
    "suolyer", "superb", "Superscript", "swiss-ai", "SWivid", "Tarka-AIR", "TaylorAI", "tclf90",
    "TechxGenus", "teknium", "Tele-AI", "TeleAI", "telepix", "Tencent-Hunyuan", "TencentBAC", "teticio",
    "Tevatron", "thebajajra", "TheDenk", "TheDrummer", "TheLastBen", "thibaud", "thu-ml", "TigerResearch",
    "tinyBenchmarks", "tohoku-nlp", "toksuite", "tolgacangoz", "tomaarsen", "TomoroAI", "Tongyi-Zhiwen",
    "topk-io", "truthfulqa", "TsinghuaC3I", "tsynbio", "TUKE-KEMT", "TurkuNLP", "UBC-NLP", "ukr-detect",
    "Unbabel", "Undi95", "unicamp-dl", "uoft-cs", "upskyy", "urchade", "valhalla", "vantagewithai",
    "Verm1ion", "VietAI", "vinai", "VisualCloze", "vitouphy", "vivo-ai", "VLM2Vec", "Voodisss", "VoVanPhuc",
    "voyageai", "VPLabs", "vultr", "w601sxs", "wangfuyun", "warp-ai", "WarriorMama777", "webAI-Official",
    "WeiboAI", "weidawang", "wenge-research", "WeOpenML", "WhereIsAI", "whybe-choi", "WildEval", "wmt",
    "Writer", "wuhaicc", "xDiT", "XGenerationLab", "xhluca", "XiaomiMiMo", "xlangai", "xlnet", "Xnhyacinth",
    "Xorbits", "xtuner", "yale-nlp", "yandex", "yaswanth169", "Yelp", "YeungNLP", "yibinlei", "YiYiXu",
    "yjoonjang", "ysharma", "YunzeLiu", "ZenMoore", "zeroentropy", "zeta-alpha-ai", "zhibinlan", "zhichen",
    "Zhihui", "ZhipuAI", "ZhixuLi", "ziqingyang", "zloelias", "zxbsmk", "Zyphra",
)  # fmt: skip
# What people and projects are called, or could be: words and names near to those of the list.
ORDINARY = (
    "Anna", "Arnd", "Blair", "Clair", "Gwen", "Ian", "Karas", "Mika", "Naomi", "Nina", "Owen", "Rina",
    "Tina", "alberto", "apply", "maple", "plastic", "never", "waver", "genova", "walhalla", "zerobot",
    "tinaai", "ninaai", "comic-ai", "sai-org", "ai-org", "lbm", "1bm", "and",
)  # fmt: skip


def test_every_entry_is_a_name_that_the_hub_allows() -> None:
    for name in ORGANISATIONS:
        assert re.fullmatch(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*", name), name
        assert 2 <= len(name) <= 42


def test_entries_stand_in_order_and_once() -> None:
    folded = [name.lower() for name in ORGANISATIONS]
    assert folded == sorted(set(folded))


def test_no_entry_is_a_piece_of_another_that_was_broken_at_a_hyphen() -> None:
    pieces = {"ai", "encoder", "geospatial", "hf", "inc", "lab", "labs", "org", "project", "research"}
    assert not pieces & {name.lower() for name in ORGANISATIONS}


@pytest.mark.parametrize("name", ORGANISATIONS)
def test_no_entry_is_a_look_alike_in_whatever_case(name: str) -> None:
    assert resembled(name) is resembled(name.upper()) is resembled(name.lower()) is None


def test_no_real_name_is_a_look_alike() -> None:
    assert len(set(REAL)) > 400
    assert {name: found for name in (*REAL, *ORDINARY) if (found := resembled(name))} == {}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        # digits and letters that look alike
        ("meta-IIama", "meta-llama"), ("meta-1lama", "meta-llama"), ("deepseek-al", "deepseek-ai"),
        ("0penai", "openai"), ("OpenAl", "openai"), ("faceb00k", "facebook"), ("rnicrosoft", "microsoft"),
        ("NVlDIA", "nvidia"), ("5tabilityai", "stabilityai"), ("TheB1oke", "TheBloke"),
        ("cleepseek-ai", "deepseek-ai"), ("TheBl0ke", "TheBloke"), ("vvizardlm", "WizardLM"),
        # hyphens and underscores
        ("meta_llama", "meta-llama"), ("metallama", "meta-llama"), ("mistral-ai", "mistralai"),
        ("deepseekai", "deepseek-ai"), ("sentence_transformers", "sentence-transformers"),
        ("hugging-face", "huggingface"),
        # other scripts
        ("m\u0435ta-llama", "meta-llama"), ("g\u043e\u043egle", "google"), ("\uff47oogle", "google"),
        ("\u041cicrosoft", "microsoft"), ("\u039dvidia", "nvidia"), ("nv\u0456dia", "nvidia"),
        ("Qw\u0435n", "Qwen"), ("\u0391\u039cD", "amd"), ("goog\U0001d5c5e", "google"),
        ("open\u0430i", "openai"), ("goo\u200bgle", "google"), ("g\u00f6\u00f6gle", "google"),
    ],
)  # fmt: skip
def test_a_name_that_is_drawn_alike_is_found(name: str, known: str) -> None:
    assert resembled(name) == (known, Confidence.HIGH)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("googlee", "google"), ("gooogle", "google"), ("gogle", "google"), ("goolge", "google"),
        ("gpogle", "google"), ("ogogle", "google"), ("icrosoft", "microsoft"), ("nicrosoft", "microsoft"),
        ("micosoft", "microsoft"), ("microsft", "microsoft"), ("microsoftt", "microsoft"),
        ("openia", "openai"), ("opnai", "openai"), ("mistrallai", "mistralai"), ("eleutherai2", "EleutherAI"),
        ("huggingfacee", "huggingface"), ("hugginface", "huggingface"), ("stabiltyai", "stabilityai"),
        ("sentence-transformer", "sentence-transformers"), ("meta-lama", "meta-llama"),
        ("deepseek-a", "deepseek-ai"), ("nvidai", "nvidia"), ("itnel", "Intel"), ("appple", "apple"),
        ("g\u0000ogle", "google"),
    ],
)  # fmt: skip
def test_a_name_one_slip_away_is_found_with_less_confidence(name: str, known: str) -> None:
    assert resembled(name) == (known, Confidence.MEDIUM)


@pytest.mark.parametrize(
    "name",
    ["", "a", "-", "x" * 97, "google" * 20, "gogglle", "metalama2", "Stabilty-ai", "tesl\u0430", "\u0000"],
)
def test_what_is_two_slips_away_or_no_name_is_not_found(name: str) -> None:
    assert resembled(name) is None


@given(st.text(max_size=120))
def test_any_text_is_judged(name: str) -> None:
    found = resembled(name)
    assert found is None or found[0] in ORGANISATIONS


@given(st.sampled_from([name for name in ORGANISATIONS if len(name.replace("-", "")) >= 15]), st.data())
def test_a_long_name_without_one_of_its_letters_is_found(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    assert resembled(name[:place] + name[place + 1 :]) is not None


def findings(scheme: str, location: str, confidence: Confidence = Confidence.HIGH) -> list[Finding]:
    reference = Reference(
        kind=ComponentKind.MODEL,
        target=Ref(scheme=scheme, location=location),
        loader="transformers.pipeline",
        location=Location(path="app.py", line=3, column=5),
        confidence=confidence,
    )
    return list(RULE.check(report(references=(reference,))))


@pytest.mark.parametrize("scheme", ["hf", "hf-dataset", "hf-space"])
def test_the_finding_shows_the_difference_and_what_was_meant(scheme: str) -> None:
    (found,) = findings(scheme, "meta-IIama/Llama-3-8B")
    assert (
        found.message
        == f"{scheme}:meta-IIama/Llama-3-8B: 'meta-iiama' looks like 'meta-llama', and is not it"
    )
    assert (found.expected, found.location.line, found.confidence) == ("meta-llama", 3, Confidence.HIGH)


def test_a_letter_of_another_script_is_spelled_out() -> None:
    (found,) = findings("hf", "m\u0435ta-llama/x")
    assert "'m\\u0435ta-llama' looks like 'meta-llama'" in found.message


@pytest.mark.parametrize(
    ("scheme", "location"),
    [
        ("hf", "gogle"),
        ("docker", "gogle/x"),
        ("file", "gogle/x"),
        ("hf", "google/gogle"),
        ("modelscope", "gogle/x"),
    ],
)
def test_only_organisations_of_the_hub_are_compared(scheme: str, location: str) -> None:
    assert findings(scheme, location) == []


def test_a_finding_is_no_surer_than_its_reference() -> None:
    (found,) = findings("hf", "meta-IIama/x", Confidence.LOW)
    assert found.confidence is Confidence.LOW
