#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What bash completes, asked by a real one on a terminal; and that no option is forgotten.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

quiet make -s -C "$TOP" VARIANT="$TEST_VARIANT" WERROR= completion
file=$TOP/build/$TEST_VARIANT/completion/bash
mkdir -p repo 'a dir' dest elsewhere
touch repo/autolab-backup-200{1,2}0101_000000.seal repo/db-20010101_000000-2.seal 'a dir/only.seal' key.pub
touch repo/{old,db}-20010101_000000{,-2}.tar.gz repo/.db-20010102_000000.seal.new $'repo/odd name\n.seal' 'repo/*.seal'
# No names of ours, and none that a shell should meet.
# shellcheck disable=SC2016 # as they are
touch repo/{'$(touch pwned)','`touch pwned`',-rf}{.tar.gz,-20010101_000000.seal}
printf '#!/bin/sh\n' >elsewhere/restore
chmod +x elsewhere/restore
echo ". '$file'" >setup
"$TESTS/ask-shell" bash setup <"$TESTS/data/completion.txt"

# By the variable; whatever the user's shell is set to.
cat >>setup <<'SETUP'
export TARSEAL_REPO=~/repo
set -u
shopt -s failglob nocasematch
SETUP
printf '%s\n' 'verify <ALL>' 'restore --backup d<TAB>' 'verify --repo none <ALL>' 'manifest lis<TAB>' 'verify --level=<ALL>' |
    "$TESTS/ask-shell" bash setup

if [ -e pwned ]; then fail 'a name was run'; fi

# Each option of each --help is offered, and those only.
cat >all.sh <<'ALL'
. "$1"
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
for what in backup verify restore $(printf 'manifest/%s ' $_tarseal_commands); do
	COMP_WORDS=(tarseal ${what/\// } --)
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMP_LINE=${COMP_WORDS[*]} COMP_POINT=${#COMP_LINE}
	_tarseal
	printf "$what %s\n" "${COMPREPLY[@]}"
done
ALL
bash all.sh "$file" | sort >offered
{
	for p in backup verify restore; do
		"$p" --help | sed -n "s#^  \(-., \|    \)\(--[a-z0-9-]*\).*#$p \2#p"
	done
	for c in $(manifest --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
		manifest "$c" --help | sed -n "s#^  \(-., \|    \)\(--[a-z0-9-]*\).*#manifest/$c \2#p"
	done
} | sort >known
[ "$(wc -l <known)" -gt 150 ] || fail "only $(wc -l <known) options are known"
diff known offered || fail "not the options of the programs"

# Where = does not break words (COMP_WORDBREAKS is the user's), and where a word stands by itself.
cat >breaks.sh <<'BREAKS'
. "$1"
ask() { # LINE WORD...
	COMP_LINE=$1 COMP_POINT=${#1}
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_tarseal
	echo "$COMP_LINE: ${COMPREPLY[*]}"
}
COMP_WORDBREAKS=$' \t\n'
ask 'verify --level=' verify --level=
ask 'verify --level=q' verify --level=q
COMP_WORDBREAKS+==
ask 'verify --level=' verify --level =
ask 'verify --level=q' verify --level = q
ask 'verify --repo= l' verify --repo = l
ask 'verify --repo repo --series=d' verify --repo repo --series = d
BREAKS
bash breaks.sh "$file"

# Many backups are no reason to wait.
mkdir many
(cd many && seq -f 's-2001%04g_000000.seal' 1 4000 | xargs touch)
cat >many.sh <<'MANY'
. "$1"
COMP_WORDS=(verify -r many s-20011) COMP_CWORD=3 COMP_LINE="verify -r many s-20011" COMP_POINT=${#COMP_LINE}
_tarseal
echo ${#COMPREPLY[@]}
MANY
timeout 10 bash many.sh "$file"
