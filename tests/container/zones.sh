#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# Zones come from the image: names and the seed's lines are of the zone that is asked for, on both sides of a change
# of the clocks, by TZ or by --timezone; one that does not exist is refused.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 20M
disk backups 50M
pair
# The last seconds before and the first after each change of 2026 in Kyiv.
before=(2026-03-29T00:59:59Z 2026-10-25T00:59:59Z)
after=(2026-03-29T01:00:00Z 2026-10-25T01:00:00Z)
for t in "${before[@]}" "${after[@]}"; do
	echo "$t" >"data/$t"
	touch -d "$t" "data/$t"
done

# made ZONE [PODMAN-OPTION...] -- backup [OPTION...]: its stamp and lines are what date(1) here says of ZONE.
n=0
made() {
	local zone=$1 from to stamp abbreviation
	shift
	n=$((n + 1))
	from=$(TZ=$zone date +%Y%m%d_%H%M%S)
	expect 0 box "${backup_caps[@]}" -v "$PWD/data:/app/data:ro" -v "$PWD/backups:/backups" -v "$PWD/keys:/keys:ro" "$@" \
	    --source /app/data --repo /backups --key /keys/key --series "s$n"
	to=$(TZ=$zone date +%Y%m%d_%H%M%S)
	stamp=$(sed -n 's|^Creating backup: /backups/s[0-9]*-\(.*\)\.tar\.gz$|\1|p' "$CASE_BASE/stdout")
	[[ ! $stamp < $from && ! $stamp > $to ]] || fail "$zone: $stamp is not from $from to $to"
	abbreviation=$(TZ=$zone date +%Z)
	[ "$(grep -cE "^(Starting backup|Backup process completed successfully) at .* $abbreviation 20[0-9]{2}$" "$CASE_BASE/stdout")" = 2 ] ||
	    fail "$zone: not $abbreviation: $(cat "$CASE_BASE/stdout")"
}
made UTC -- backup
made Europe/Kyiv -e TZ=Europe/Kyiv -- backup
made Europe/Kyiv -- backup --timezone Europe/Kyiv
made Europe/Kyiv -e TZ=Asia/Tokyo -e TARSEAL_TIMEZONE=Europe/Kyiv -- backup
# One of these two has summer now, whenever now is.
made America/New_York -- backup --timezone America/New_York
made Australia/Sydney -- backup --timezone Australia/Sydney
# The old name of the same place.
made Europe/Kiev -- backup --timezone Europe/Kiev
expect 2 box -v "$PWD/data:/app/data:ro" -v "$PWD/backups:/backups" -v "$PWD/keys:/keys:ro" -- \
    backup --source /app/data --repo /backups --key /keys/key --timezone Europe/Kiyv
expect 2 box -e TZ=Mars/Olympus -v "$PWD/data:/app/data:ro" -v "$PWD/backups:/backups" -v "$PWD/keys:/keys:ro" -- \
    backup --source /app/data --repo /backups --key /keys/key

# ---- the change of the clocks ----

expect 0 reader manifest find --series s2 --name '2026*'
cat >want <<'WANT'
2026-03-29 02:59:59 +0200
2026-03-29 04:00:00 +0300
2026-10-25 03:59:59 +0300
2026-10-25 03:00:00 +0200
WANT
grep -oE '2026-[0-9-]+ [0-9:]+ [+]0[0-9]00' "$CASE_BASE/stdout" >got
diff want got || fail "the change of the clocks"

# The shell's date knows the zones, too.
[ "$(box -e TZ=Europe/Kyiv -- date -d @1774745999 '+%F %T %z')" = "2026-03-29 02:59:59 +0200" ] || fail "date before"
[ "$(box -e TZ=Europe/Kyiv -- date -d @1774746000 '+%F %T %z')" = "2026-03-29 04:00:00 +0300" ] || fail "date after"

# ---- the seed's lines, while the clock changes ----

# The programs once more, of this tree, with a clock that can be set, in place of those of the image; all that they look up is
# the image's. Nothing can be preloaded into them, and a container has no clock of its own.
mkdir clock
cat >clock/clock.c <<'CLOCK'
#include <stdlib.h>
#include <time.h>
int	__real_clock_gettime(clockid_t, struct timespec *);
int	__wrap_clock_gettime(clockid_t, struct timespec *);
int
__wrap_clock_gettime(clockid_t which, struct timespec *t)
{
	const char *shift = getenv("CLOCK_SHIFT");
	int status = __real_clock_gettime(which, t);
	if (status == 0 && which == CLOCK_REALTIME && shift != NULL)
		t->tv_sec += atol(shift);
	return status;
}
CLOCK
quiet cc -O1 -fPIE -c -o clock/clock.o clock/clock.c
quiet make -C "$TOP" VARIANT=static CFLAGS=-O1 WERROR= B="$PWD/clock" LDFLAGS="-Wl,--wrap=clock_gettime $PWD/clock/clock.o" all

# at TIME LINE NAME: a backup at that time, and what its first line and its name begin with.
at() {
	expect 0 box "${backup_caps[@]}" -v "$PWD/data:/app/data:ro" -v "$PWD/backups:/backups" -v "$PWD/keys:/keys:ro" \
	    -v "$PWD/clock/programs:/usr/libexec/tarseal/programs:ro" -e CLOCK_SHIFT=$(($(date -d "$1" +%s) - $(date +%s))) \
	    -- backup --timezone Europe/Kyiv --source /app/data --repo /backups --key /keys/key --series autumn
	grep -qE "^Starting backup at $2 2026$" "$CASE_BASE/stdout" || fail "not $2: $(cat "$CASE_BASE/stdout")"
	grep -qE "^Backup process completed successfully at $2 2026$" "$CASE_BASE/stdout" || fail "not $2: $(cat "$CASE_BASE/stdout")"
	grep -qE "^Creating backup: /backups/autumn-$3" "$CASE_BASE/stdout" || fail "not $3: $(cat "$CASE_BASE/stdout")"
}
at 2026-03-29T00:59:20Z 'Sun Mar 29 02:59:[0-9]+ EET' 20260329_0259
at 2026-03-29T01:00:00Z 'Sun Mar 29 04:00:[0-9]+ EEST' 20260329_0400
at 2026-10-25T00:59:20Z 'Sun Oct 25 03:59:[0-9]+ EEST' 20261025_0359
at 2026-10-25T01:00:00Z 'Sun Oct 25 03:00:[0-9]+ EET' 20261025_0300
# An hour earlier by name, the last all the same.
expect 0 reader manifest show latest --series autumn
grep -q '20261025_0300' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"
expect 0 reader verify --all --series autumn
