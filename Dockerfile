# Nothing here depends on the processor: every locked package has wheels for amd64 and arm64, and none is built from source.
FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/chipwise
# The locked packages first: this layer survives a change of the code.
COPY requirements-runtime.lock ./
RUN /opt/chipwise/bin/pip install --only-binary=:all: --require-hashes --no-deps -r requirements-runtime.lock
# The build backend lives in its own environment; only the wheel goes on.
COPY requirements-build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --only-binary=:all: --require-hashes --no-deps -r requirements-build.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY operator ./operator
# What runs needs no pip, once pip has said that nothing is missing.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
    && /opt/chipwise/bin/pip install --no-deps --no-index /tmp/wheel/*.whl \
    && /opt/chipwise/bin/pip check \
    && /opt/chipwise/bin/pip uninstall --yes setuptools pip

FROM python:3.11-slim
COPY --from=build /opt/chipwise /opt/chipwise
COPY LICENSE NOTICE /licenses/
ENV PATH=/opt/chipwise/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["chipwise"]
CMD ["--help"]
