# One image, several commands: `lienthong intake web`, `lienthong routing work`, ...
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.lock ./
RUN python3 -m venv /app/.venv \
 && /app/.venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
 && /app/.venv/bin/pip uninstall -q -y pip
COPY catalogue ./catalogue
COPY deploy/rabbitmq ./deploy/rabbitmq
COPY shared ./shared
COPY services ./services
COPY partner ./partner
RUN /app/.venv/bin/python -m compileall -q shared services partner

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin lienthong \
 && install -d -o lienthong -g lienthong /data /secrets
WORKDIR /app
COPY --from=build /app /app
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LIENTHONG_DATA_DIR=/data LIENTHONG_CATALOGUE_DIR=/app/catalogue \
    LIENTHONG_HOST=0.0.0.0 LIENTHONG_OPS_PORT=9000 LIENTHONG_LOG_FORMAT=json
USER lienthong
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/.venv/bin/python", "-m", "services"]
CMD ["--help"]
