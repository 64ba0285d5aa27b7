#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Whose backups are restored: a lost public key, several keys in the trust file, a key that was changed, and one
# that is not trusted any more. Nothing older is taken in silence where the newest is not trusted.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_key old
make_key new
mkdir repo
night() {
	echo "$1" >data/night
	set_times data
	quiet backup --source data --repo repo --key "$2" --trust both.pub
	basename "$(newest repo)"
}
cat old.pub new.pub >both.pub
one=$(night 1 old)
two=$(night 2 old)
three=$(night 3 new)
# of NIGHT TRUST [OPTION...]
of() {
	run restore --repo repo --trust "$1" --stdout "${@:2}" night
}

echo "-- both keys are trusted"
of both.pub
of both.pub --backup "$two"
of both.pub --backup "$one"

echo "-- the old one is not any more"
of new.pub
of new.pub --backup "$two"
of new.pub --backup "$two" --untrusted
run restore --repo repo --trust new.pub --backup "$two" --target none
[ ! -e none ] || fail "it made a target"

echo "-- the new one is not, as if it had been stolen"
of old.pub
of old.pub --backup "$two"
of old.pub --as-of 2999-01-01
run restore --repo repo --trust old.pub --target none
[ ! -e none ] || fail "it made a target"
of old.pub --untrusted

echo "-- a key that nobody knows, in front of one that is known"
make_key other
cat other.pub new.pub >three.pub
of three.pub
of other.pub

echo "-- the public key is lost"
run restore --repo repo --stdout night
run restore --repo repo --untrusted --stdout night
run restore --repo repo --untrusted --backup "$one" --stdout night
run restore --repo repo --trust new.lost --stdout night
quiet openssl pkey -in new -pubout -out again.pub
of again.pub
[ "$three" != "$two" ]
