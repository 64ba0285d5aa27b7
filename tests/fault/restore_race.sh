#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# While restores run, are killed, and recovered, somebody who may write in their target keeps putting
# symbolic links to a directory outside in the place of directories. Restores may fail; nothing outside is
# made, changed, or removed. In each way into the target; as root, where the target is a user's, and as that user.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3
"$TESTS/exchange.py" >/dev/null 2>&1 || skip "no renameat2 for python3"

# In all directories the same names as outside.
dirs=(sub sub/deep sub/dir{1..12} logs)
for d in "${dirs[@]}"; do
	mkdir -p "data/$d"
	echo x | tee "data/$d"/{1,2,3} >/dev/null
done
for i in $(seq 60); do
	noise 3000 "$i" >"data/sub/$i"
	noise 3000 "$i" >"data/sub/deep/$i"
	echo "$i" >"data/logs/$i"
done
noise 2000000 1 >data/sub/large
ln data/sub/1 data/logs/hard
ln -s 1 data/sub/link
mkfifo data/logs/fifo
chmod -R a+rwX data
set_times data
make_repo repo
[ "$(id -u)" != 0 ] || chown -R -h 65534:65534 data
backup_tree data repo
mkdir alone
cp repo/*.tar.gz repo/*.seal alone

cp -a data outside
find outside -type f -exec sh -c 'for f; do echo precious >"$f"; done' sh {} +
find outside -type f -exec chmod 640 {} +
find outside -type d -exec chmod 750 {} +
echo precious >outside/victim
[ "$(id -u)" != 0 ] || chown -R -h 65534:65534 outside
# With ctimes: whatever touched it shows.
state() { find outside -printf '%P %y %m %U %G %n %s %T@ %C@ %l\n' | sort; }
state >before
chmod 755 . ..
chmod -R a+rX repo alone key.pub

cp -a data was
echo other | tee was/sub/{1,2,3} >/dev/null
rm was/logs/{4,5,6}
touch was/more
[ "$(id -u)" != 0 ] || chown -R -h 65534:65534 was

# In one rename: cp follows links that somebody puts in its way.
gone=0
fresh() {
	cp -a was next
	[ ! -d target ] || mv -T target "gone-$((gone += 1))"
	mv -T next target
}

# A run, of which every third is killed.
attempt() {
	local status=0
	n=$((n + 1))
	# shellcheck disable=SC2086 # options
	if [ $((n % 3)) = 0 ]; then
		$as timeout -s KILL 0.0$((n % 7 + 1)) restore $from --target target --force --jobs 2 --mode "$mode" \
		    >out 2>err || status=$?
		[ $status != 137 ] || killed=$((killed + 1))
		status=0
		$as restore --recover --target target >>out 2>>err || status=$?
	else
		$as restore $from --target target --force --jobs 2 --mode "$mode" >out 2>err || status=$?
	fi
	sed 's/^/# /' err >>seen
	case $status in
	0) whole=$((whole + 1)) ;;
	1 | 3 | 4) hit=$((hit + 1)) ;;
	*) fail "$who, $mode: exit $status: $(cat err)" ;;
	esac
}

race() {
	local end how attackers=() turns=0
	rm -f exchanged-* attack-*
	fresh
	for how in $attacks; do
		as_user "$TESTS/exchange.py" "$how" target outside "$1" "${dirs[@]}" \
		    >"exchanged-$how" 2>"attack-$how.err" &
		attackers+=($!)
	done
	end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do
		attempt
		# Where the work directory was moved away nothing goes on: from the start, but under attack.
		turns=$((turns + 1))
		[ $((turns % 6)) != 0 ] || fresh
	done
	wait "${attackers[@]}" || fail "$(cat attack-*.err)"
	for how in $attacks; do
		[ "$(cat "exchanged-$how")" -ge 100 ] || fail "$who, $mode: $how: exchanged only $(cat "exchanged-$how") times"
	done
	rm -rf gone-*
	state | diff before - >&2 || fail "$who, $mode: outside changed"
	echo "$who, $mode, $from: $(cat exchanged-* | xargs) exchanges; $whole runs as they should be, $hit not, $killed killed" >&2
}

run_all() {
	who=$1
	for mode in stage merge wipe; do
		for from in "--repo repo --trust key.pub" "--repo alone --trust key.pub --untrusted"; do
			n=0 whole=0 hit=0 killed=0
			for attacks in "names held" held; do
				race 2
			done
			total=$((total + hit))
		done
	done
}

# The removal of what was there, slowly, while what is in one of its directories is exchanged.
slowly() {
	who=$1 mode=stage from="--repo repo --trust key.pub" n=0
	strace -o /dev/null -e trace=none true 2>/dev/null || return 0
	[ "$TEST_VARIANT" = plain ] || return 0
	for n in 1 2; do
		fresh
		as_user "$TESTS/exchange.py" once target outside 1 "${dirs[@]}" >exchanged &
		# shellcheck disable=SC2086 # options
		$as strace -qq -f -o trace -e trace=unlinkat -e inject=unlinkat:delay_exit=20000 \
		    restore $from --target target --force --mode stage >out 2>err || :
		wait $!
		rm -rf gone-*
		state | diff before - >&2 || fail "$who, what was there is removed: outside changed"
	done
}
total=0
as=
if [ "$(id -u)" = 0 ]; then
	# To it the programs are others: copies that it may reach.
	cp "$TESTS/exchange.py" "$CASE_BASE"
	chmod 755 "$CASE_BASE/exchange.py"
	TESTS=$CASE_BASE
	slowly root
	run_all root
	as=as_user
fi
slowly user
run_all user
sed 's/[0-9][0-9]*/N/g' seen | sort | uniq -c | sort -rn | head -40 >&2
[ $total -gt 10 ] || fail "links were met only $total times"
