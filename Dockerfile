# Two images, `cpu` (the last target, so the default) and `cuda`:
#
#   docker build --tag unblur --build-arg TORCH_INDEX=ADDRESS .
#   docker build --tag unblur:cuda --target cuda .
#
# ADDRESS is the index that the selector on pytorch.org names for pip and "CPU"; without one, pip takes a build of torch
# with gigabytes of CUDA libraries, which is what the image `cuda` needs.

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS environment
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/unblur
WORKDIR /build
COPY constraints.txt ./

FROM environment AS build-cpu
ARG TORCH_INDEX
RUN test -n "${TORCH_INDEX}" || { echo "give --build-arg TORCH_INDEX=ADDRESS, see the head of the Dockerfile"; exit 1; }
# torch by itself: it is most of the image and changes least. What it depends on comes with the next step: its index has
# few versions of that, and none of them may be a pinned one.
RUN /opt/unblur/bin/pip install --no-deps --constraint constraints.txt --index-url "${TORCH_INDEX}" torch
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/unblur/bin/pip install --constraint constraints.txt ".[server,heif]"

FROM environment AS build-cuda
RUN /opt/unblur/bin/pip install --constraint constraints.txt torch
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/unblur/bin/pip install --constraint constraints.txt ".[server,heif]"

FROM python:${PYTHON}-slim AS base
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin unblur
# Nothing is written but outputs and temporary files, so the root may be read-only.
ENV PATH=/opt/unblur/bin:${PATH} HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /photos
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/healthz', timeout=4)"]
ENTRYPOINT ["unblur"]
CMD ["serve", "--host", "0.0.0.0"]

FROM base AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-cuda /opt/unblur /opt/unblur

FROM base AS cpu
COPY --from=build-cpu /opt/unblur /opt/unblur
