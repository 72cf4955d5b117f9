# pimsim without the extras: docker build -t pimsim . && docker run --rm -v "$PWD:/work" pimsim run gru
FROM python:3.11-slim

COPY . /opt/pimsim
RUN pip install --no-cache-dir /opt/pimsim && rm -rf /opt/pimsim

# results belong to whoever starts the container, with --user "$(id -u):$(id -g)"; kernels and caches
# are compiled into a folder that any user may make
ENV HOME=/tmp
WORKDIR /work
ENTRYPOINT ["pimsim"]
CMD ["--help"]
