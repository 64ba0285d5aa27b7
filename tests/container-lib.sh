# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the cases in tests/container/ have beside tests/lib.sh: they start with . "$TESTS/container-lib.sh".
# Each program runs as its pod runs it: 0.2 of a processor, 256 MiB and no swap, no network, a root file
# system that is read-only, also /tmp, no capabilities but those that docs/OPERATIONS.md lists.  Volumes are
# ext4 on loop devices: data, backups, and more with "volume".  Nothing here needs the programs of the host.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

[ "${TEST_IMAGE-}" ] || skip "needs the image: make e2e-container"
need_root
need podman
export CONTAINERS_CONF=$TOP/image/containers.conf
BOX=tarseal-test-${TEST_WORK##*.}-${CASE_NAME##*/}

# Only our own containers, whatever else runs here.
boxes_gone() {
	local ids
	ids=$(podman ps -aq --filter "label=box=$BOX")
	# shellcheck disable=SC2086 # a list
	[ -z "$ids" ] || podman rm -f -t 0 $ids >/dev/null 2>&1 || true
}
gone() {
	cd "$CASE_DIR" || true
	boxes_gone
	volumes_gone
}

# ---- one container ----

# box [PODMAN-OPTION...] -- CMD...: in a container of its own, with its status.
box() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	podman run --rm --label "box=$BOX" --network none --http-proxy=false --cpus 0.2 --memory 256m --memory-swap 256m \
	    --read-only --read-only-tmpfs=false --cap-drop ALL --security-opt no-new-privileges \
	    "${options[@]}" "$TEST_IMAGE" "$@"
}

# caps PROGRAM: as options, those of the table.
caps() {
	local cap
	for cap in $(sed -n "s/^| $1 *| \`\([A-Z_, ]*\)\`.*/\1/p" "$TOP/docs/OPERATIONS.md" | tr , ' '); do
		echo "--cap-add=$cap"
	done
}
mapfile -t backup_caps < <(caps backup)
mapfile -t restore_caps < <(caps restore)
((${#backup_caps[@]} > 0 && ${#restore_caps[@]} > 1)) || fail "docs/OPERATIONS.md has no lists of capabilities"

# ---- the pods: who has what ----

# AS: options for all of them, as in AS=(--user 10001:10001); without capabilities for those who are not root.
AS=()
may() {
	[ $# -eq 0 ] || [[ " ${AS[*]} " == *" --user "* ]] || printf '%s\n' "$@"
}

# backup_pod [ARGUMENT...]: reads data, writes backups, has the private key.
backup_pod() {
	local more
	mapfile -t more < <(may "${backup_caps[@]}")
	box "${AS[@]}" "${more[@]}" -v "$PWD/data:/app/data:ro" -v "$PWD/backups:/backups" -v "$PWD/keys:/keys:ro" \
	    -e TARSEAL_TIMEZONE=Europe/Kyiv -- backup --source /app/data --repo /backups --key /keys/key "$@"
}

# verify_pod [ARGUMENT...], manifest_pod COMMAND [ARGUMENT...]: read backups, have the public key.
reader() {
	box "${AS[@]}" -v "$PWD/backups:/backups:ro" -v "$PWD/public:/trust:ro" \
	    -e TARSEAL_TIMEZONE=Europe/Kyiv -e TARSEAL_REPO=/backups -e TARSEAL_TRUST=/trust/key.pub -- "$@"
}
verify_pod() {
	reader verify "$@"
}
manifest_pod() {
	reader manifest "$@"
}

# restore_pod [ARGUMENT...]: reads backups, writes data, has the public key.
restore_pod() {
	local more
	mapfile -t more < <(may "${restore_caps[@]}")
	box "${AS[@]}" "${more[@]}" -v "$PWD/backups:/backups:ro" -v "$PWD/data:/data" -v "$PWD/public:/trust:ro" \
	    -- restore --repo /backups --trust /trust/key.pub --target /data "$@"
}

# ---- volumes and keys ----

# disk DIR SIZE: a volume of ext4, as a storage class makes one.
disk() {
	volume "$1" "$2" mkfs.ext4 -q -E nodiscard -m 0
	trap gone EXIT
}

# anew DIR: another disk in its place, which is empty.  Not the same file again: while a container that has just begun still
# has a copy of the mount, that would be mounted once more as it was.
anew() {
	local size
	size=$(stat -c %s "$1.ram/img")
	umount "$1"
	mount -o "remount,size=$((2 * size))" "$1.ram"
	rm "$1.ram/img"
	truncate -s "$size" "$1.ram/img"
	quiet mkfs.ext4 -q -E nodiscard -m 0 "$1.ram/img"
	mount -o loop "$1.ram/img" "$1"
	[ "$(names "$1")" = lost+found ] || fail "$1 is not empty: $(names "$1")"
}

# pair [DIR PUBLIC]: keys/key and public/key.pub, made by the image.
pair() {
	local keys=${1-keys} public=${2-public}
	mkdir "$keys" "$public"
	quiet box -v "$PWD/$keys:/keys" -v "$PWD/$public:/public" -- manifest keygen --key /keys/key --public /public/key.pub
}

# names DIR: what is in it.
names() {
	find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort
}

# newest_name: of the backup with the highest number.
newest_name() {
	basename "$(newest backups)"
}
