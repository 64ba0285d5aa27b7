#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is wrong with a key or a trust file is said by its path, before anything is written.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data
echo 1 >data/file
make_repo repo
make_key other
b() { run backup --source data --repo repo --quiet "$@"; }

echo "-- no private key that we can sign with"
openssl genpkey -quiet -algorithm X25519 -out x25519
openssl genpkey -quiet -algorithm ED448 -out ed448
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out explicit
openssl genrsa -out rsa1024 1024 2>/dev/null
openssl dsaparam -genkey 1024 2>/dev/null | openssl pkcs8 -topk8 -nocrypt >dsa
openssl pkey -in key -aes256 -passout pass:secret -out encrypted
openssl rsa -in rsa1024 -aes256 -passout pass:secret -traditional -out encrypted-rsa 2>/dev/null
openssl req -new -x509 -key key -subj /CN=backup -out certificate
cat key other >two
sed 's/BEGIN PRIVATE/BEGIN PRIVAT/' key >misspelt
sed '2s/./!/5' key >damaged
head -n 2 key >stub
: >empty
echo "not a key" >junk
head -c 2000000 /dev/zero >huge
mkdir directory
ln -s nowhere dangling
for key in x25519 ed448 p384 explicit rsa1024 dsa encrypted encrypted-rsa key.pub certificate two misspelt \
    damaged stub empty junk huge directory dangling missing data/file/key /dev/null; do
	b --key $key
done
b
b --key key --unsigned
b --key ''

echo "-- a trust file that vouches for nobody"
for trust in key empty junk stub directory missing; do
	b --key key --trust $trust
done

echo "-- nothing was written"
run_sh 'ls -A repo'

echo "-- a key that everybody may read works, with a word about it; through a pipe as well"
cp key shared
chmod 644 shared
b --key shared
run_sh 'backup --source data --repo repo --quiet --key <(cat key)'
chmod 640 shared
b --key shared
run_sh 'ls repo/*.seal | wc -l'

echo "-- whose trust file does not have the key of earlier backups leaves those alone"
ls repo/*.seal >before
b --key other --trust other.pub
run_sh 'ls repo/*.seal | grep -vxFf before | xargs grep "^# sequence\|^# holds"'
