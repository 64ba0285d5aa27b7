/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/log.h"
#include "restore/facts.h"
#include "restore/report.h"
#include "tests/unit/child.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define NOBODY 65534u
#define ACL_ACCESS "system.posix_acl_access"

/* user::rwx,user:7:rwx,group::r--,mask::rwx,other::---, in the kernel's form. */
static const uint8_t acl[] = {2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 7, 0, 0, 0, 4,
    0, 4, 0, 255, 255, 255, 255, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255};

static char dir[SCRATCH_MAX];

static int
setup(void **state)
{
	(void)state;
	scratch_new(dir);
	assert_int_equal(chmod(dir, 0777), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static bool
is_root(void)
{
	return geteuid() == 0;
}

static struct entry
entry(enum entry_type type)
{
	return (struct entry){.type = type,
	    .path = "it",
	    .path_len = 2,
	    .mode = 0640,
	    .uid = geteuid(),
	    .gid = getegid(),
	    .mtime_sec = -1000000,
	    .mtime_nsec = 123456789};
}

static int
new_file(const char *name)
{
	char path[SCRATCH_MAX + 64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void
has_facts(const struct stat *st, const struct entry *en)
{
	assert_int_equal(st->st_uid, en->uid);
	assert_int_equal(st->st_gid, en->gid);
	assert_int_equal(st->st_mtim.tv_sec, en->mtime_sec);
	assert_int_equal(st->st_mtim.tv_nsec, en->mtime_nsec);
	if (!S_ISLNK(st->st_mode))
		assert_int_equal(st->st_mode & 07777, en->mode);
}

/* ---- what all get ---- */

static void
a_file_gets_all_of_its_facts(void **state)
{
	static const struct entry_xattr xattrs[] = {{"user.a", "x\0y", 3}, {"user.empty", "", 0}};
	struct entry en = entry(ENTRY_FILE);
	struct restore_report r;
	struct stat st;
	char value[64];
	int fd = new_file("f");

	(void)state;
	en.mode = 04711;
	if (is_root())
		en.uid = 4000000000u, en.gid = 77;
	en.xattrs = xattrs;
	en.n_xattrs = 2;
	restore_report_init(&r);
	restore_facts_fd(fd, &en, "it", &r);
	assert_int_equal(fstat(fd, &st), 0);
	has_facts(&st, &en);
	assert_int_equal(fgetxattr(fd, "user.a", value, sizeof(value)), 3);
	assert_memory_equal(value, "x\0y", 3);
	assert_int_equal(fgetxattr(fd, "user.empty", value, sizeof(value)), 0);
	assert_int_equal(r.findings, 0);
	assert_false(restore_report_wrong(&r));
	restore_report_done(&r);
	assert_int_equal(close(fd), 0);
}

static void
an_acl_comes_before_the_mode_that_shows_its_mask(void **state)
{
	struct entry en = entry(ENTRY_FILE);
	struct restore_report r;
	struct stat st;
	uint8_t value[256];
	int fd = new_file("f");

	(void)state;
	en.mode = 0770;
	en.acl_access = acl;
	en.acl_access_len = sizeof(acl);
	restore_report_init(&r);
	restore_facts_fd(fd, &en, "it", &r);
	assert_int_equal(fstat(fd, &st), 0);
	has_facts(&st, &en);
	assert_int_equal(fgetxattr(fd, ACL_ACCESS, value, sizeof(value)), sizeof(acl));
	assert_memory_equal(value, acl, sizeof(acl));
	assert_int_equal(r.findings, 0);
	restore_report_done(&r);
	assert_int_equal(close(fd), 0);
}

static void
a_link_gets_its_facts_and_its_target_none(void **state)
{
	struct entry en = entry(ENTRY_SYMLINK);
	struct restore_report r;
	struct stat before, st;
	int fd = new_file("f"), at = open(dir, O_PATH | O_DIRECTORY);

	(void)state;
	if (is_root())
		en.uid = en.gid = 12345;
	assert_int_equal(fstat(fd, &before), 0);
	assert_int_equal(symlinkat("f", at, "l"), 0);
	restore_report_init(&r);
	restore_facts_at(at, "l", &en, "it", &r);
	assert_int_equal(fstatat(at, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
	has_facts(&st, &en);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, before.st_uid);
	assert_int_equal(st.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(r.findings, 0);
	restore_report_done(&r);
	assert_int_equal(close(fd) + close(at), 0);
}

static void
a_fifo_gets_its_mode(void **state)
{
	struct entry en = entry(ENTRY_FIFO);
	struct restore_report r;
	struct stat st;
	int at = open(dir, O_PATH | O_DIRECTORY);

	(void)state;
	en.mode = 0622;
	assert_int_equal(mkfifoat(at, "p", 0600), 0);
	restore_report_init(&r);
	restore_facts_at(at, "p", &en, "it", &r);
	assert_int_equal(fstatat(at, "p", &st, AT_SYMLINK_NOFOLLOW), 0);
	has_facts(&st, &en);
	assert_int_equal(r.findings, 0);
	restore_report_done(&r);
	assert_int_equal(close(at), 0);
}

/* ---- children: less than root ---- */

/* What a child leaves with: see main of each. */
enum {
	OWNERS = 1,
	SET_IDS = 2,
	XATTRS = 4,
	LABELS = 8,
	NO_XATTRS = 16,
	FINDINGS = 32,
	WRONG = 64,
};

static int
told(const struct restore_report *r)
{
	return (r->lacks[RESTORE_OWNER] == 1 ? OWNERS : 0) |
	    (r->lacks[RESTORE_SETID] == 1 ? SET_IDS : 0) |
	    (r->lacks[RESTORE_XATTR] == 1 ? XATTRS : 0) |
	    (r->lacks[RESTORE_LABEL] == 1 ? LABELS : 0) |
	    (r->lacks[RESTORE_NO_XATTR] == 1 ? NO_XATTRS : 0) | (r->findings > 0 ? FINDINGS : 0) |
	    (restore_report_wrong(r) ? WRONG : 0);
}

struct task {
	struct entry en;
	int fd;
	int (*before)(void); /* 0 */
};

static int
run_task(void *ctx)
{
	const struct task *t = ctx;
	struct restore_report r;

	log_init("restore", LOG_QUIET);
	restore_report_init(&r);
	if (t->before != NULL && t->before() != 0)
		return 255;
	restore_facts_fd(t->fd, &t->en, "it", &r);
	return told(&r);
}

static int
become_nobody(void)
{
	return setgid(NOBODY) != 0 || setuid(NOBODY) != 0;
}

static void
a_user_lacks_what_needs_root_and_nothing_is_wrong(void **state)
{
	static const struct entry_xattr xattrs[] = {
	    {"security.ima", "x", 1}, {"user.mine", "x", 1}};
	struct task t = {.en = entry(ENTRY_FILE), .fd = new_file("f")};
	struct child c;
	struct stat st;

	(void)state;
	if (!is_root())
		skip();
	t.before = become_nobody;
	t.en.uid = t.en.gid = 3;
	t.en.mode = 06755;
	t.en.xattrs = xattrs;
	t.en.n_xattrs = 2;
	assert_int_equal(fchown(t.fd, NOBODY, NOBODY), 0);
	child_run(&c, run_task, &t);
	assert_int_equal(c.status, OWNERS | SET_IDS | XATTRS);
	assert_int_equal(fstat(t.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtim.tv_nsec, t.en.mtime_nsec);
	assert_int_equal(fgetxattr(t.fd, "user.mine", NULL, 0), 1);
	assert_int_equal(close(t.fd), 0);
}

static int
drop_chown(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) != 0)
		return -1;
	data[CAP_CHOWN / 32].effective &= ~(1u << CAP_CHOWN % 32);
	data[CAP_SYS_ADMIN / 32].effective &= ~(1u << CAP_SYS_ADMIN % 32);
	return (int)syscall(SYS_capset, &head, data);
}

static void
root_that_may_not_has_not_got_what_it_came_for(void **state)
{
	static const struct entry_xattr xattrs[] = {{"trusted.x", "x", 1}};
	struct task t = {.en = entry(ENTRY_FILE), .fd = new_file("f"), .before = drop_chown};
	struct child c;

	(void)state;
	if (!is_root())
		skip();
	t.en.uid = 3;
	t.en.xattrs = xattrs;
	t.en.n_xattrs = 1;
	child_run(&c, run_task, &t);
	assert_int_equal(c.status, OWNERS | XATTRS | WRONG);
	assert_int_equal(close(t.fd), 0);
}

/* Calls of this number do nothing; they say yes, or error. */
static int
ignore_call(unsigned nr, unsigned error)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = COUNT(code), .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0;
}

/* Some network file systems say yes to a chown, and do nothing. */
static int
ignore_chown(void)
{
	return ignore_call(SYS_fchown, 0);
}

static int
refuse_changes(void)
{
	return ignore_call(SYS_fchown, EIO) != 0 || ignore_call(SYS_fchmod, EIO) != 0;
}

static void
owner_and_mode_that_are_right_are_left_alone(void **state)
{
	struct task t = {.en = entry(ENTRY_FILE), .fd = new_file("f"), .before = refuse_changes};
	struct child c;

	(void)state;
	assert_int_equal(fchmod(t.fd, t.en.mode), 0);
	child_run(&c, run_task, &t);
	if (c.status == 255)
		skip();
	assert_int_equal(c.status, 0);
	t.en.mode = 0600; /* the refusal is one */
	child_run(&c, run_task, &t);
	assert_int_equal(c.status, FINDINGS | WRONG);
	assert_int_equal(close(t.fd), 0);
}

static void
a_chown_that_is_ignored_is_found_and_lends_nobody_set_id_rights(void **state)
{
	struct task t = {.en = entry(ENTRY_FILE), .fd = new_file("f"), .before = ignore_chown};
	struct child c;
	struct stat st;

	(void)state;
	t.en.uid = 3;
	t.en.mode = 04755;
	child_run(&c, run_task, &t);
	if (c.status == 255)
		skip();
	assert_int_equal(c.status & FINDINGS, FINDINGS);
	assert_int_equal(c.status & SET_IDS, SET_IDS);
	assert_int_equal(c.status & WRONG, WRONG);
	assert_int_equal(fstat(t.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(close(t.fd), 0);
}

static int
ignore_attributes(void)
{
	return ignore_call(SYS_fsetxattr, 0);
}

static void
an_attribute_that_is_not_kept_is_found(void **state)
{
	static const struct entry_xattr xattrs[] = {{"user.a", "x", 1}};
	struct task t = {.en = entry(ENTRY_FILE), .fd = new_file("f"), .before = ignore_attributes};
	struct child c;

	(void)state;
	t.en.xattrs = xattrs;
	t.en.n_xattrs = 1;
	child_run(&c, run_task, &t);
	if (c.status == 255)
		skip();
	assert_int_equal(c.status, FINDINGS | WRONG);
	assert_int_equal(close(t.fd), 0);
}

/* ---- a file system that takes neither attributes nor ACLs ---- */

static bool
mount_plain(void)
{
	return is_root() && mount("none", dir, "ramfs", 0, NULL) == 0;
}

static void
a_file_system_without_attributes_is_told(void **state)
{
	static const struct entry_xattr xattrs[] = {
	    {"security.selinux", "x", 1}, {"user.mine", "x", 1}};
	struct task t = {.en = entry(ENTRY_FILE)};
	struct child c;

	(void)state;
	if (!mount_plain())
		skip();
	t.fd = new_file("f");
	/* A security module may answer for a file system that has no such attributes. */
	bool labels = fsetxattr(t.fd, "security.selinux", "x", 1, 0) != 0;
	t.en.xattrs = xattrs;
	t.en.n_xattrs = 2;
	child_run(&c, run_task, &t);
	assert_int_equal(close(t.fd), 0);
	assert_int_equal(umount(dir), 0);
	assert_int_equal(c.status, (labels ? LABELS : 0) | NO_XATTRS | WRONG);
}

static void
without_its_acl_a_file_gives_the_group_no_more_than_the_acl_did(void **state)
{
	struct task t = {.en = entry(ENTRY_FILE)};
	struct child c;
	struct stat st;

	(void)state;
	if (!mount_plain())
		skip();
	t.fd = new_file("f");
	t.en.mode = 0770;
	t.en.acl_access = acl;
	t.en.acl_access_len = sizeof(acl);
	child_run(&c, run_task, &t);
	assert_int_equal(fstat(t.fd, &st), 0);
	assert_int_equal(close(t.fd), 0);
	assert_int_equal(umount(dir), 0);
	assert_int_equal(c.status, FINDINGS | WRONG);
	assert_int_equal(st.st_mode & 07777, 0740);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_gets_all_of_its_facts),
	    TEST(an_acl_comes_before_the_mode_that_shows_its_mask),
	    TEST(a_link_gets_its_facts_and_its_target_none),
	    TEST(a_fifo_gets_its_mode),
	    TEST(a_user_lacks_what_needs_root_and_nothing_is_wrong),
	    TEST(root_that_may_not_has_not_got_what_it_came_for),
	    TEST(a_chown_that_is_ignored_is_found_and_lends_nobody_set_id_rights),
	    TEST(owner_and_mode_that_are_right_are_left_alone),
	    TEST(an_attribute_that_is_not_kept_is_found),
	    TEST(a_file_system_without_attributes_is_told),
	    TEST(without_its_acl_a_file_gives_the_group_no_more_than_the_acl_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
