# The product and nothing else: no compiler, no package tools, no tests, no embedded services; not root.
FROM python:3.13-slim-trixie AS build
ENV UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1
RUN pip install --no-cache-dir "uv>=0.9,<1"
WORKDIR /app
COPY pyproject.toml uv.lock .python-version ./
RUN uv sync --frozen --no-default-groups
COPY . .
# Collecting needs settings, and no setting goes into what is collected: these values end with this line.
RUN DATABASE_URL=postgresql:///none REDIS_URL=redis://none TRASTIENDA_HOSTS=none TRASTIENDA_URL=https://none \
    TRASTIENDA_SMTP_URL=smtp://none TRASTIENDA_MAIL_FROM=none@none.example TRASTIENDA_STATIC=/app/staticfiles \
    TRASTIENDA_SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(64))") \
    .venv/bin/python manage.py collectstatic --noinput && python -m compileall -q -j 0 --invalidation-mode unchecked-hash [a-z]*/

FROM python:3.13-slim-trixie
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin trastienda \
    && install -d -o 10001 -m 700 /files
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    DJANGO_SETTINGS_MODULE=marketplace.settings TRASTIENDA_STATIC=/app/staticfiles \
    GRANIAN_HOST=0.0.0.0 GRANIAN_PORT=8000 GRANIAN_LOG_CONFIG=/app/marketplace/granian.json
USER 10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--no-ws", "--workers", "2", "--blocking-threads", "4", "--backpressure", "64", \
     "--workers-kill-timeout", "30", "--respawn-failed-workers", "marketplace.wsgi:application"]
