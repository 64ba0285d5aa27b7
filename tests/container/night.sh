#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 900
# A volume with everything in it, as root: backed up, verified, lost, restored, drilled. Nobody may do more than the
# documentation says, and nobody takes more memory than a quarter of the limit.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 250M
disk backups 700M
disk scratch 250M
pair
sample_tree data/app
setfattr -n user.x -v 1 data/app/config.json
chown -R -h 1000:1001 data/app/db
chmod 600 data/app/db/table
mknod data/app/null c 1 3
mkfifo data/app/fifo
cp /bin/true data/app/true
setfattr -n security.capability -v 0sAQAAAgAEAAAAAAAAAAAAAAAAAAA= data/app/true
install -d -m 2775 -o 2000 -g 2000 data/app/shared
chmod 4755 data/app/true
mkdir data/app/день
echo x >data/app/день/файл
for i in {1..130}; do
	noise 1000000 "$i" >"data/app/noise-$i"
done
set_times data/app
mkdir was
cp -a data/app was/app

# ---- backup: the seed's lines, and what it may not do without its capability ----

expect 0 backup_pod --keep-last 10 --run-id job-1
grep -qE '^Starting backup at [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} EES?T [0-9]{4}$' "$CASE_BASE/stdout" ||
    fail "not the seed's lines: $(cat "$CASE_BASE/stdout")"
name=$(newest_name)
[ ! -s "$CASE_BASE/stderr" ] || fail "warned: $(cat "$CASE_BASE/stderr")"
# A retry of the same Job does nothing; the next night one more.
expect 0 backup_pod --keep-last 10 --run-id job-1
[ "$(newest_name)" = "$name" ] || fail "a retry made another backup"
expect 0 backup_pod --keep-last 10 --run-id job-2
[ "$(newest_name)" != "$name" ] || fail "the second night made none"
backup_had=("${backup_caps[@]}") backup_caps=()
expect 1 backup_pod --series without
backup_caps=("${backup_had[@]}")
rm backups/without-*
grep -q 'db/table: cannot be read' "$CASE_BASE/stderr" || fail "read without the right to: $(cat "$CASE_BASE/stderr")"

# ---- verify: with no capability, from a volume that is read-only ----

for level in quick standard deep; do
	expect 0 verify_pod --all --level $level --max-age 26h
done
expect 0 manifest_pod ls app/день
grep -q 'app/день/файл' "$CASE_BASE/stdout" || fail "a name in UTF-8: $(cat "$CASE_BASE/stdout")"

# ---- wrong key: another public one ----

pair other other-public
expect 5 box -v "$PWD/backups:/backups:ro" -v "$PWD/other-public:/trust:ro" -- \
    verify --repo /backups --trust /trust/key.pub
expect 5 box "${restore_caps[@]}" -v "$PWD/backups:/backups:ro" -v "$PWD/other-public:/trust:ro" -v "$PWD/scratch:/scratch" -- \
    restore --repo /backups --trust /trust/key.pub --target /scratch
[ "$(names scratch)" = lost+found ] || fail "restored what nobody vouches for: $(names scratch)"

# ---- a drill, as ci-drill has it: reports and scratch are on a volume ----

expect 0 box "${restore_caps[@]}" -v "$PWD/backups:/backups:ro" -v "$PWD/public:/trust:ro" -v "$PWD/scratch:/scratch" \
    -e TARSEAL_REPO=/backups -e TARSEAL_TRUST=/trust/key.pub -- \
    ci-drill --out /scratch/report --max-age 26h --scratch /scratch --check-command 'test -f app/config.json'
grep -q '^PASSED: ' "$CASE_BASE/stdout" || fail "the drill: $(cat "$CASE_BASE/stdout")"
jq -e .passed scratch/report/drill.json >/dev/null || fail "the drill's report"
[ "$(names scratch | xargs)" = "lost+found report" ] || fail "the drill left $(names scratch)"

# ---- whole loss ----

anew data
expect 0 restore_pod
[ ! -s "$CASE_BASE/stderr" ] || fail "warned: $(cat "$CASE_BASE/stderr")"
same_tree was/app data/app
[ "$(getfattr -n security.capability -e base64 --only-values data/app/true | base64)" = \
    "$(getfattr -n security.capability -e base64 --only-values was/app/true | base64)" ] || fail "capabilities of a file"
# What is there again is what was backed up, says the image too.
expect 0 box "${backup_caps[@]}" -v "$PWD/backups:/backups:ro" -v "$PWD/data:/app/data:ro" \
    -v "$PWD/public:/trust:ro" -- verify --source /app/data --repo /backups --trust /trust/key.pub

# ---- memory: what each program takes at most ----

took() {
	local kib
	kib=$(awk '/Maximum resident set size/ { print $NF }' "$CASE_BASE/stderr")
	((kib > 1000 && kib < 65536)) || fail "$1 took $kib KiB: $(cat "$CASE_BASE/stderr")"
}
in_time() {
	box "${restore_caps[@]}" "${backup_caps[@]}" -v "$PWD/backups:/backups" -v "$PWD/data:/data" -v "$PWD/scratch:/scratch" \
	    -v "$PWD/keys:/keys:ro" -v "$PWD/public:/trust:ro" -- time -v "$@"
}
rm -rf scratch/report
expect 0 in_time backup --source /data --repo /backups --key /keys/key --reuse none
took backup
expect 0 in_time verify --repo /backups --trust /trust/key.pub --level deep
took verify
expect 0 in_time restore --repo /backups --trust /trust/key.pub --target /scratch
took restore
expect 0 in_time manifest rebuild --repo /backups --trust /trust/key.pub
took manifest
