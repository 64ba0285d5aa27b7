#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# manifest list and show: series, holds, what was verified and how; terminals of any width.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
need_root

mkdir data data/dark
printf 'one\n' >data/one
printf 'dark\n' >data/dark/file
set_times data
make_repo repo
backup_tree data repo
backup_tree data repo --series other
sleep 1.1
chmod 000 data/dark
chmod 755 data
mkdir work && chmod 777 work
cp -r repo/. work # for the user that cannot read all
chmod -R a+rwX work
chmod a+r key
as_user backup --source data --repo work --key key >/dev/null 2>&1 || [ $? = 1 ]
quiet verify --repo work --trust key.pub --level quick --series other
verify --repo work --trust key.pub --level deep --series autolab-backup >/dev/null 2>&1 || [ $? = 1 ]
held=$(basename work/other-*.seal .seal)
printf 'the auditors want it \e[31m\n' >"work/$held.hold"

run manifest list --repo work --trust key.pub
run manifest list --repo work --trust key.pub --series other
run manifest list --repo work --trust key.pub --series none
run manifest list --repo work --trust key.pub --json
run_sh "manifest list -0 --repo work --trust key.pub | tr '\0' '\n'"
run manifest show --repo work --trust key.pub "$held"
run_sh "manifest show --repo work --trust key.pub $held --json | grep -E 'hold|verified|\"level\"|\"ok\"'"
run manifest show --repo work --trust key.pub autolab-backup --series autolab-backup
run manifest list --repo work
run manifest list --repo work -q
# What it could not read is not gone.
incomplete=$(grep -l '^# complete: no' work/*.seal)
run manifest diff --repo work --trust key.pub previous "$(basename "$incomplete" .seal)"
run manifest list --repo work --timezone Nowhere/Town
run manifest list --repo nowhere
