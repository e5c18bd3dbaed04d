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
    POLYPHONIE_CACHE_DIR=/cache
RUN install -d -o 10001 -g 10001 /cache /data
USER 10001:10001
WORKDIR /data
VOLUME ["/cache", "/data"]
HEALTHCHECK --interval=60s --timeout=20s CMD ["polyphonie", "settings"]
ENTRYPOINT ["polyphonie"]
CMD ["--help"]
