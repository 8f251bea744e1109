# The command line of aibom, and nothing that it does not need. To build it again and get the same:
# pin the base (docker buildx imagetools inspect python:3.13-slim-bookworm says the digest) and the time:
#   docker buildx build --build-arg BASE=python:3.13-slim-bookworm@sha256:... \
#     --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" \
#     --output type=oci,dest=aibom.tar,rewrite-timestamp=true .
# Packages are the newest that pyproject.toml allows, unless PIP_CONSTRAINT is the address of a list of versions.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
ARG SOURCE_DATE_EPOCH=0
ARG PIP_CONSTRAINT=
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY policies policies
COPY docs/rules docs/rules
COPY aibom aibom
# Compiled files name the digest of their source and not its time.
RUN python -m venv --without-pip /opt/aibom \
 && python -m pip --python /opt/aibom/bin/python install --no-cache-dir --no-compile /src \
 && /opt/aibom/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/aibom/lib

FROM ${BASE}
COPY --from=build /opt/aibom /opt/aibom
# No home, so no cache of digests; set AIBOM_CACHE_DIR and AIBOM_NO_CACHE=0 to keep one in a volume.
ENV PATH=/opt/aibom/bin:$PATH AIBOM_NO_CACHE=1 PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /scan
ENTRYPOINT ["aibom"]
CMD ["--help"]
