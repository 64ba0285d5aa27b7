/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/ctimes.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pack/statkey.h"

/*
 * Those that move ctime with each write, and keep it: by their sources, and by experiment for ext4,
 * XFS and btrfs.  tmpfs does not when a memory map is stored through; of overlays, FUSE and all
 * others nobody knows who answers.
 */
static const struct {
	uint64_t type; /* statfs(2) */
	int64_t margin;
} keepers[] = {
    {0xef53, STATKEY_MARGIN}, /* ext4, and ext2 and ext3 by its driver */
    {0x58465342, STATKEY_MARGIN}, /* XFS */
    {0x9123683e, STATKEY_MARGIN}, /* btrfs */
    {0xf2f52010, STATKEY_MARGIN}, /* F2FS */
    {0x2fc12fc1, STATKEY_MARGIN}, /* ZFS */
    {0x6969, CTIMES_MARGIN_NFS}, /* NFS */
};

int64_t
ctimes_margin_of(uint64_t type)
{
	for (size_t i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++) {
		if (keepers[i].type == type)
			return keepers[i].margin;
	}
	return -1;
}

static int64_t
ask(int dirfd, const char *name)
{
	struct statfs fs;
	int64_t margin = -1;

	int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstatfs(fd, &fs) == 0)
		margin = ctimes_margin_of((uint32_t)fs.f_type);
	(void)close(fd);
	return margin;
}

int64_t
ctimes_margin(struct ctimes *c, uint64_t dev, int dirfd, const char *name)
{
	const size_t max = sizeof(c->known) / sizeof(c->known[0]);

	if (c->n > 0 && c->known[c->last].dev == dev)
		return c->known[c->last].margin;
	for (c->last = 0; c->last < c->n; c->last++) {
		if (c->known[c->last].dev == dev)
			return c->known[c->last].margin;
	}
	/* With more of them than fit, the last place is everybody's. */
	if (c->last == max)
		c->last = max - 1;
	else
		c->n++;
	c->known[c->last].dev = dev;
	c->known[c->last].margin = ask(dirfd, name);
	return c->known[c->last].margin;
}
