#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What can be said of the image without building it (tests/container/run builds it): the Dockerfile gets the files that
# it needs, packages have one list, and the programs linked without shared libraries work.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
dockerfile=$TOP/Dockerfile

# ---- the Dockerfile ----

# One instruction a line, without comments.
sed -e '/^ *#/d' -e '/^$/d' "$dockerfile" | sed -e ':a' -e '/\\$/{N;s/\\\n */ /;ba' -e '}' >instructions
! grep -vE '^(ARG|FROM|ENV|WORKDIR|COPY|RUN|LABEL|CMD) ' instructions || fail "what is this instruction?"
[ "$(grep '^FROM ' instructions | tail -n 1)" = "FROM scratch" ] || fail "the last stage is not from scratch"
# shellcheck disable=SC2016 # the Dockerfile's
grep -qxF 'FROM ${BASE} AS build' instructions || fail "the base cannot be named"
for label in title description version revision created source licenses base.name; do
	grep '^LABEL ' instructions | grep -qE "[ ]org\.opencontainers\.image\.$label=\"[^\"]+\"" || fail "no label $label"
done
while read -r what value; do
	grep -qE "^ARG $what(=|$)" instructions || fail "$what is used, and no ARG"
	grep -q -- "--build-arg $what=" "$TOP/image/build" || fail "image/build does not give $what"
	[ -n "$value" ] || fail "$what has no default"
done < <(sed -n 's/^ARG \([A-Z_]*\)=\(.*\)/\1 \2/p' instructions)

# ---- the files that it copies ----

# allowed PATH: by .dockerignore, which names what passes, from the top.
allowed() {
	grep -qxF "!${1%%/*}" "$TOP/.dockerignore"
}
while read -r _ words; do
	read -ra words <<<"$words"
	[[ ${words[0]} != --from=* ]] || continue
	for source in "${words[@]:0:${#words[@]}-1}"; do
		[ -e "$TOP/$source" ] || fail "COPY $source: there is none"
		[ "$source" = . ] || allowed "$source" || fail "COPY $source: .dockerignore keeps it out"
	done
done < <(grep '^COPY ' instructions)
while read -r name; do
	[ -e "$TOP/$name" ] || fail ".dockerignore: there is no $name"
done < <(sed -n 's/^!//p' "$TOP/.dockerignore")
for need in Makefile LICENSE image/main.c image/make-root tools/deps tools/tarseal.in tools/ci-drill \
    $(make -s -C "$TOP" --no-print-directory print-ROOMS); do
	[ -e "$TOP/$need" ] || fail "there is no $need"
	allowed "$need" || fail ".dockerignore keeps $need out"
done

# ---- packages: tools/deps has the one list ----

! grep -qE 'apt(-get)? ' "$dockerfile" "$TOP/image/make-root" || fail "packages are installed past tools/deps"
"$TOP/tools/deps" --list build image >installed
for package in $(sed -n "s/^packages='\(.*\)'$/\1/p" "$TOP/image/make-root" | tr ' ' '\n'); do
	grep -qx "$package" installed || fail "image/make-root copies from $package, which tools/deps does not install"
done

# ---- without shared libraries ----

quiet make -C "$TOP" VARIANT=static CFLAGS=-O1 WERROR= B="$PWD/static" all
programs=$PWD/static/programs
! readelf -lW "$programs" | grep -q INTERP || fail "it wants an interpreter"
! readelf -dW "$programs" | grep -q NEEDED || fail "it wants shared libraries"
readelf -hW "$programs" | grep -q 'DYN' || fail "it cannot be placed anywhere"
# These ask libraries that are not there, or users and hosts of a machine that is not this.
! nm -u static/libtarseal.a static/obj/*/main.o | grep -E ' U (get(pw|gr|addrinfo|hostby|nameinfo|serv|login)|dl(open|sym)|iconv|initgroups)' ||
    fail "what is ours calls that"
for program in backup verify restore manifest; do
	[ "$("static/bin/$program" --version | cut -d' ' -f1)" = "$program" ] || fail "$program is another one"
done
expect 2 "$programs"

PATH=$PWD/static/bin:$PATH
make_repo repo
mkdir data
echo x >data/день
touch -d '2026-03-29 01:00:00 UTC' data/день
expect 0 env -i PATH="$PATH" static/bin/backup --source data --repo repo --key key --timezone Europe/Kyiv
grep -qE '^Starting backup at .* EES?T 20[0-9]{2}$' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"
expect 2 backup --source data --repo repo --key key --timezone Europe/Kiyv
expect 0 verify --repo repo --trust key.pub --level deep
expect 0 env -i TARSEAL_TIMEZONE=Europe/Kyiv static/bin/manifest find --repo repo --trust key.pub --name 'д*'
grep -q '2026-03-29 04:00:00 +0300 .* день$' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"
expect 0 restore --repo repo --trust key.pub --target out
same_tree data out
