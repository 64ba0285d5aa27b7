#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 1200
# long
# Built again from nothing, with another base made for it, the image is the same to the last bit, also as it is sent to a
# registry; and small.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
need buildah debootstrap
again=localhost/tarseal-again:$$
base=localhost/tarseal-again-base:$$
trap 'gone; podman rmi -f "$again" "$base" >/dev/null 2>&1 || true' EXIT
quiet "$TOP/image/make-base" "$base"
# From other surroundings: another path, time zone, language, umask, and not the same order of files.
mkdir tree
tar -C "$TOP" --exclude=./build -c . | tar -x -C tree
(umask 077 && TZ=Asia/Tokyo LC_ALL=C quiet tree/image/build -b "$base" "$again")

id() {
	podman image inspect -f '{{.Id}}' "$1"
}
[ "$(id "$TEST_IMAGE")" = "$(id "$again")" ] || fail "two images: $(id "$TEST_IMAGE") and $(id "$again")"
quiet buildah push "$TEST_IMAGE" oci:first:x
quiet buildah push "$again" oci:second:x
cmp first/index.json second/index.json
(cd first/blobs/sha256 && sha256sum -- *) | (cd second/blobs/sha256 && quiet sha256sum -c)
size=$(du -bc first/blobs/sha256/* | tail -n 1 | cut -f 1)
[ "$size" -lt 20000000 ] || fail "the image has $size bytes"
echo "digest $(jq -r '.manifests[0].digest' first/index.json), $size bytes compressed" >&2
