from modelscope import AutoModelForCausalLM, AutoTokenizer, snapshot_download
from modelscope.models import Model
from modelscope.msdatasets import MsDataset
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks

QWEN = "qwen/Qwen-7B-Chat"

model_dir = snapshot_download(QWEN, revision="v1.1.9", cache_dir="./cache")
plain_dir = snapshot_download(model_id="ZhipuAI/chatglm3-6b")

seg = pipeline(Tasks.word_segmentation, model="damo/nlp_structbert_word-segmentation_chinese-base")
asr = pipeline(
    task=Tasks.auto_speech_recognition,
    model="iic/speech_paraformer-large_asr_nat-zh-cn-16k-common-vocab8404-pytorch",
    model_revision="v2.0.4",
)
ner = Model.from_pretrained("damo/nlp_raner_named-entity-recognition_chinese-base-news")


def chat():
    tok = AutoTokenizer.from_pretrained(QWEN, trust_remote_code=True)
    lm = AutoModelForCausalLM.from_pretrained(QWEN, trust_remote_code=True)
    return tok, lm


def corpora(extra):
    clue = MsDataset.load("clue", subset_name="afqmc", split="train")
    more = MsDataset.load(extra)
    return clue, more


def mirror(ids):
    return [snapshot_download(one) for one in ids]
