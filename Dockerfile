# Polyphonie in a container: `docker run --rm -v "$PWD:/data" polyphonie draft answers.csv --out draft`
FROM python:3.11-slim AS build
# Where the CPU build of PyTorch comes from; empty: pip's default index.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /app
RUN python3 -m venv /app/.venv \
 && /app/.venv/bin/pip install --no-cache-dir ${TORCH_INDEX:+--index-url $TORCH_INDEX} torch==2.13.0 \
 && /app/.venv/bin/pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock README.md /app/
COPY service /app/service
COPY prompts /app/prompts
COPY embeddings /app/embeddings
RUN /app/.venv/bin/uv sync --frozen --inexact --no-dev --no-editable --python /app/.venv/bin/python

FROM python:3.11-slim
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH \
    OMP_WAIT_POLICY=passive \
    POLYPHONIE_CACHE_DIR=/cache \
    POLYPHONIE_DATA_DIR=/data
RUN install -d -o 10001 -g 10001 /cache /data
USER 10001:10001
WORKDIR /data
VOLUME ["/cache", "/data"]
# Of the service; a worker's is in compose.yaml, and a draft that is made by hand ends before it matters.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez')"]
ENTRYPOINT ["polyphonie"]
CMD ["--help"]
