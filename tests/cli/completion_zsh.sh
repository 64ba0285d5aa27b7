#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What zsh completes, asked by a real one on a terminal; and that no option is forgotten.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need zsh
quiet make -s -C "$TOP" VARIANT="$TEST_VARIANT" WERROR= completion
mkdir -p repo 'a dir' dest elsewhere site
cp "$TOP/build/$TEST_VARIANT/completion/zsh" site/_tarseal
zsh -n site/_tarseal
touch repo/autolab-backup-200{1,2}0101_000000.seal repo/db-20010101_000000-2.seal 'a dir/only.seal' key.pub
touch repo/{old,db}-20010101_000000{,-2}.tar.gz repo/.db-20010102_000000.seal.new $'repo/odd name\n.seal' 'repo/*.seal'
# No names of ours, and none that a shell should meet.
# shellcheck disable=SC2016 # as they are
touch repo/{'$(touch pwned)','`touch pwned`',-rf}{.tar.gz,-20010101_000000.seal}
printf '#!/bin/sh\n' >elsewhere/restore
chmod +x elsewhere/restore
echo "fpath=(~/site \$fpath)" >setup
"$TESTS/ask-shell" zsh setup <"$TESTS/data/completion.txt"

echo 'export TARSEAL_REPO=~/repo' >>setup
printf '%s\n' 'verify <ALL>' 'restore --backup d<TAB>' 'verify --repo none <ALL>' | "$TESTS/ask-shell" zsh setup

if [ -e pwned ]; then fail 'a name was run'; fi

# Each option of each --help is offered, and those only.
for what in backup verify restore \
    $(manifest --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/manifest_\1/p'); do
	${what/_/ } --help | sed -n "s#^  \(-., \|    \)\(--[a-z0-9-]*\).*#tarseal ${what/_/ } \2#p" >>known
	echo "tarseal ${what/_/ } --<ALL>" >>questions
done
manifest --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/manifest \1/p' >>known
echo 'manifest <ALL>' >>questions
"$TESTS/ask-shell" zsh setup <questions >answers
python3 - <<'PYTHON' | sort >offered
for line in open("answers"):
    words = line.rstrip("|\n").split()
    if line.startswith("    manifest "):
        for w in words[1:]:
            print("manifest", w)
    elif line.startswith("    "):
        what = [w for w in words if not w.startswith("--")]
        for w in words[len(what):]:
            print(*what, w.rstrip("="))
PYTHON
[ "$(wc -l <known)" -gt 150 ] || fail "only $(wc -l <known) options are known"
sort known | diff - offered || fail "not the options of the programs"
