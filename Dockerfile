# SPDX-License-Identifier: BSD-2-Clause
#
# The image: the four programs, a shell, and what these look up.  docs/IMAGE.md tells of it; "make image"
# builds it so that two builds of one commit are the same to the last byte.

# Any Debian 12 will do; image/make-base makes one where there is no registry.
ARG BASE=docker.io/library/debian:bookworm-slim
FROM ${BASE} AS build
ARG SOURCE_DATE_EPOCH=0
ENV LC_ALL=C.UTF-8 TZ=UTC
WORKDIR /tarseal
# tools/deps is the one list of packages.
COPY tools/deps tools/deps
RUN tools/deps image
# What .dockerignore lets through.
COPY . .
RUN make -j"$(nproc)" VARIANT=static WERROR= all && image/make-root /root-of-image

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=tarseal
COPY --from=build /root-of-image/ /
ENV PATH=/usr/bin:/bin
LABEL org.opencontainers.image.title="Tarseal" \
      org.opencontainers.image.description="Sealed tar backups for volumes: backup, verify, restore, manifest" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="BSD-2-Clause AND GPL-2.0-only AND LGPL-2.1-or-later AND Apache-2.0 AND MIT AND Zlib AND MPL-2.0 AND GPL-3.0-or-later WITH GCC-exception-3.1" \
      org.opencontainers.image.base.name="scratch"
CMD ["tarseal", "--help"]
