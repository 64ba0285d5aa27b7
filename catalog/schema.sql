-- SPDX-License-Identifier: BSD-2-Clause
-- The catalog: an index over all manifests of a repository (docs/FORMAT.md).
-- application_id 0x54534c31 (TSL1) and user_version 3 are set by catalog/open.c.
-- A path is a BLOB with '/' as NUL, so that SQLite's order of BLOBs is ours.
-- Unsigned 64-bit numbers are kept as two's complement.

CREATE TABLE series (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
);

-- digest: SHA-256 of the signed text of the seal. readable 0: the seal is sound, but the
-- manifest was not, so nothing is known of the paths. bare: SHA-256 of the signed text without
-- its lines "policy" and "holds"; equal, and another digest: only sealed anew.
CREATE TABLE backup (
	series INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	name TEXT NOT NULL UNIQUE,
	digest BLOB NOT NULL,
	bare BLOB NOT NULL,
	created_sec INTEGER NOT NULL,
	created_nsec INTEGER NOT NULL,
	entries INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	archive_size INTEGER NOT NULL,
	manifest_size INTEGER NOT NULL,
	unreadable INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	readable INTEGER NOT NULL,
	PRIMARY KEY (series, sequence)
) WITHOUT ROWID;

-- path had these facts in each readable backup of the series from sequence first to last, and in
-- neither neighbour of these. first 0: from the oldest readable one on; last NULL: to the newest
-- readable one; the sequences of those two never stand there. type: the ASCII code of the letter in FORMAT.md's
-- stat key. rdev: major << 32 | minor. flags: 1 changed, 2 grew, 4 unreadable ranges.
CREATE TABLE version (
	series INTEGER NOT NULL,
	path BLOB NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER,
	type INTEGER NOT NULL,
	mode INTEGER NOT NULL,
	uid INTEGER NOT NULL,
	gid INTEGER NOT NULL,
	size INTEGER NOT NULL,
	mtime_sec INTEGER NOT NULL,
	mtime_nsec INTEGER NOT NULL,
	flags INTEGER NOT NULL,
	rdev INTEGER,
	link BLOB,
	sha256 BLOB,
	xattrs BLOB,
	PRIMARY KEY (series, path, first)
) WITHOUT ROWID;

-- The ends that lie between two backups, so that removing a backup costs what changed beside it.
CREATE INDEX version_first ON version (series, first) WHERE first <> 0;
CREATE INDEX version_last ON version (series, last) WHERE last IS NOT NULL;

-- Archive members, in spans like those of version: the archives of the readable backups from first
-- to last have this member. What is looked for in an archive is found by its manifest, so a
-- member's offset, which moves whenever something before it grows, stands nowhere here.
-- path, file_offset: of the member's first entry, and -1; of a chunk, the large file and where in it
-- the data begins; of the end member x'00', which is no path. digest: of the packed bytes; section:
-- of the packed manifest section, NULL for none.
CREATE TABLE member (
	series INTEGER NOT NULL,
	path BLOB NOT NULL,
	file_offset INTEGER NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER,
	kind INTEGER NOT NULL,
	packed INTEGER NOT NULL,
	plain INTEGER NOT NULL,
	digest BLOB NOT NULL,
	section BLOB,
	PRIMARY KEY (series, path, file_offset, first)
) WITHOUT ROWID;

CREATE INDEX member_first ON member (series, first) WHERE first <> 0;
CREATE INDEX member_last ON member (series, last) WHERE last IS NOT NULL;

-- Who has the same; with last, so that the index alone tells in which backups.
CREATE INDEX member_digest ON member (digest, packed, last);

-- What verify found; kept by the digest of the seal's signed text, so that another
-- backup under an old name does not inherit it. level: 1 quick, 2 standard, 3 deep,
-- 4 a restore drill.
CREATE TABLE verification (
	digest BLOB NOT NULL,
	at INTEGER NOT NULL,
	level INTEGER NOT NULL,
	ok INTEGER NOT NULL,
	PRIMARY KEY (digest, at, level)
) WITHOUT ROWID;
