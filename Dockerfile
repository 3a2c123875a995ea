# One image, several commands: `lienthong intake web`, `lienthong routing work`, ...
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.lock ./
RUN python3 -m venv /app/.venv \
 && /app/.venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
 && /app/.venv/bin/pip uninstall -q -y pip
COPY pyproject.toml ./
COPY deploy/compose/ready.py ./deploy/compose/
COPY deploy/rabbitmq/dead_letters.py ./deploy/rabbitmq/
COPY deploy/rabbitmq/make.py ./deploy/rabbitmq/
COPY catalogue ./catalogue
COPY partner ./partner
COPY shared ./shared
COPY services ./services
COPY simulation ./simulation
# Compiled here, since nobody may write there later; readable whatever the umask of the checkout.
RUN /app/.venv/bin/python -m compileall -q shared services simulation partner deploy && chmod -R a+rX /app

FROM python:3.13-slim
# The folders that volumes are mounted on: a new volume takes its owner from here.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin lienthong \
 && install -d -o lienthong -g lienthong /data /secrets /secrets/postgres /secrets/postgres-init \
      /secrets/rabbitmq /secrets/intake /secrets/routing /secrets/notify /secrets/agencies \
      /secrets/operator /secrets/smoke /secrets/proxy
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    LIENTHONG_DATA_DIR=/data LIENTHONG_CATALOGUE_DIR=/app/catalogue \
    LIENTHONG_HOST=0.0.0.0 LIENTHONG_OPS_PORT=9000 LIENTHONG_LOG_FORMAT=json
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/.venv/bin/python", "-m", "services"]
CMD ["--help"]
