#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A trust file that does not do: each of the three that read it says which file, what is wrong with
# it, and what to do; and nothing is written.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data
echo one >data/file
set_times data
make_repo repo
backup_tree data repo
rm repo/catalog.sqlite3
all() { # OPTION...
	run verify --repo repo "$@"
	run restore --repo repo --target out "$@"
	run manifest ls --repo repo "$@"
	[ ! -e out ] || fail "a target was made"
}

echo "-- missing, empty, a directory, not a PEM, a private key"
all --trust nowhere.pub
: >empty
all --trust empty
all --trust data
all --trust data/file
head -c 3000 /dev/urandom >noise
run verify --repo repo --trust noise
all --trust key
cat key.pub key >both
all --trust both

echo "-- a key of a kind that is not taken, a broken one, a list with one bad"
openssl genpkey -algorithm X25519 -out x25519 2>/dev/null
openssl pkey -in x25519 -pubout -out x25519.pub
all --trust x25519.pub
openssl genrsa -out short 1024 2>/dev/null
openssl rsa -in short -pubout -out short.pub 2>/dev/null
run verify --repo repo --trust short.pub
sed '2s/^..../AAAA/' key.pub >broken.pub
all --trust broken.pub
head -n 2 key.pub >cut.pub
run verify --repo repo --trust cut.pub
cat key.pub broken.pub >list.pub
run verify --repo repo --trust list.pub

echo "-- nobody's of these"
make_key other
all --trust other.pub --quiet
run restore --repo repo --trust other.pub --target out --dry-run
run restore --repo repo --trust other.pub --stdout file
run_sh "manifest list --repo repo --trust other.pub >/dev/null"

echo "-- without one"
all
run verify --repo repo --trust ''
run_sh 'TARSEAL_TRUST= verify --repo repo'
run_sh 'TARSEAL_TRUST=nowhere verify --repo repo'
run verify --repo repo --trust
run verify --repo repo --trust key.pub --trust other.pub

if [ "$(id -u)" = 0 ]; then
	chmod 755 . repo
	chmod a+r repo/*
fi
chmod 000 key.pub
mkdir out
chmod 777 out
for program in verify 'restore --target out' 'manifest ls'; do
	# shellcheck disable=SC2086 # words
	run as_user $program --repo repo --trust key.pub
done
[ -z "$(ls -A out)" ] || fail "$(ls -A out)"
