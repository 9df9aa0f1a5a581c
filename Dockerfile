# autoqa in one image; docs/installing.md says how it is built and run. The default torch computes on
# CPUs. One for GPUs brings CUDA's libraries itself and the host the driver, so the base stays the same:
#   docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 -t autoqa:gpu .
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY constraints.txt .
RUN python3 -m venv /opt/autoqa
# By far the largest package, first: it stays when the code below changes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN /opt/autoqa/bin/python -m pip install -c constraints.txt \
    ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
COPY pyproject.toml README.md LICENSE ./
COPY autoqa autoqa
COPY plugins plugins
RUN python3 -m pip wheel --no-deps --wheel-dir build/wheels . ./plugins/*
# All four by path: on PyPI the name "autoqa" is another project's.
ARG EXTRAS=e5,serve
RUN /opt/autoqa/bin/python -m pip install -c constraints.txt \
    build/wheels/*.whl "$(echo build/wheels/autoqa-*.whl)[$EXTRAS]"

FROM python:${PYTHON}-slim
COPY --from=build /opt/autoqa /opt/autoqa
# Whoever runs the container may write here, also as `--user "$(id -u):$(id -g)"`.
RUN mkdir -m 1777 /work /runs /cache
ENV PATH=/opt/autoqa/bin:$PATH
ENV AUTOQA_HOME=/runs
ENV AUTOQA_CACHE=/cache/autoqa
ENV HF_HOME=/cache/huggingface
# A user without an entry in /etc/passwd has neither.
ENV HOME=/cache
ENV USER=autoqa
# What NVIDIA's runtime puts into a container that is run with `--gpus`; elsewhere nothing reads it.
ENV NVIDIA_VISIBLE_DEVICES=all
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000:1000
WORKDIR /work
VOLUME ["/runs", "/cache"]
EXPOSE 8080
ENTRYPOINT ["autoqa"]
CMD ["--help"]
