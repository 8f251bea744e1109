import argparse

from . import Index
from .constants import OLD_EMBEDDER


def main(argv=None):
    parser = argparse.ArgumentParser(prog="searchkit")
    parser.add_argument("query")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--index", default="index.npy")
    args = parser.parse_args(argv)
    index = Index().load(args.index)
    for hit in index.search(args.query, args.k):
        print(hit)
    print(f"(before 0.2 this used {OLD_EMBEDDER})")


if __name__ == "__main__":
    main()
