import sys
import kagglehub
from kagglehub import dataset_download, model_download

GEMMA = "google/gemma/transformers/2b-it"


def main(argv):
    path = kagglehub.model_download(GEMMA)
    bert = model_download("keras/bert/keras/bert_base_en_uncased/3")
    mushrooms = dataset_download("uciml/mushroom-classification")
    digits = dataset_download("acme/handwritten-digits/versions/4", path="digits.csv")
    other = kagglehub.model_download(argv[1])
    print("Path to model files (google/gemma/keras/7b would be bigger):", path)
    return bert, mushrooms, digits, other


if __name__ == "__main__":
    main(sys.argv)
