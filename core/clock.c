/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/io.h"

#define ZONEINFO "/usr/share/zoneinfo"

struct timespec
clock_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

uint64_t
clock_mono_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- zones ---- */

static bool
is_zone_file(const char *path)
{
	char magic[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good;

	if (fd < 0)
		return false;
	good = io_pread(fd, magic, sizeof(magic), 0, NULL) == 4 && memcmp(magic, "TZif", 4) == 0;
	(void)close(fd);
	return good;
}

static bool
is_zone_name(const char *name)
{
	const char *dir = getenv("TZDIR");
	char path[4096];
	int n;

	/* glibc refuses to leave its directory as well. */
	if (*name == '\0' || strstr(name, "..") != NULL)
		return false;
	n = snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : ZONEINFO, name);
	return n > 0 && n < (int)sizeof(path) && is_zone_file(path);
}

/*
 * POSIX TZ strings.  glibc reads them generously (it clamps hours and minutes, takes
 * signs and white space within rules), and falls back to UTC from the first
 * mistake on; so what is let through here must be beyond doubt.  Each skip_
 * function gives what stands behind its part, or NULL.
 */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* One to `digits` digits, low to high. */
static const char *
skip_number(const char *p, int digits, int low, int high)
{
	int n = 0, i;

	for (i = 0; i < digits && is_digit(p[i]); i++)
		n = n * 10 + (p[i] - '0');
	return i > 0 && n >= low && n <= high ? p + i : NULL;
}

/* "EET" or "<+03>": three letters or more. */
static const char *
skip_abbreviation(const char *p)
{
	const char *start = p;

	if (*p != '<') {
		for (; is_letter(*p); p++)
			;
		return p - start >= 3 ? p : NULL;
	}
	for (start = ++p; is_letter(*p) || is_digit(*p) || *p == '+' || *p == '-'; p++)
		;
	return p - start >= 3 && *p == '>' ? p + 1 : NULL;
}

/* "[+-]hh[:mm[:ss]]" */
static const char *
skip_offset(const char *p, int hours)
{
	int part;

	p += *p == '+' || *p == '-';
	p = skip_number(p, 3, 0, hours);
	for (part = 0; part < 2 && p != NULL && *p == ':'; part++)
		p = skip_number(p + 1, 2, 0, 59);
	return p;
}

/* ",M3.5.0", ",J60", or ",59", then perhaps "/3" */
static const char *
skip_rule(const char *p)
{
	if (*p++ != ',')
		return NULL;
	if (*p == 'J') {
		p = skip_number(p + 1, 3, 1, 365);
	} else if (*p == 'M') {
		if ((p = skip_number(p + 1, 2, 1, 12)) == NULL || *p != '.' ||
		    (p = skip_number(p + 1, 1, 1, 5)) == NULL || *p != '.')
			return NULL;
		p = skip_number(p + 1, 1, 0, 6);
	} else {
		p = skip_number(p, 3, 0, 365);
	}
	/* RFC 9636: up to a week before or after. */
	return p != NULL && *p == '/' ? skip_offset(p + 1, 167) : p;
}

/* "EET-2", "EET-2EEST,M3.5.0/3,M10.5.0/4" */
static bool
is_posix_zone(const char *p)
{
	int i;

	if ((p = skip_abbreviation(p)) == NULL || (p = skip_offset(p, 24)) == NULL)
		return false;
	if (*p == '\0')
		return true;
	if ((p = skip_abbreviation(p)) == NULL)
		return false;
	if (*p != ',' && *p != '\0' && (p = skip_offset(p, 24)) == NULL)
		return false;
	if (*p == '\0')
		return true;
	for (i = 0; i < 2 && p != NULL; i++)
		p = skip_rule(p);
	return p != NULL && *p == '\0';
}

static int
no_such_zone(const char *zone, bool from_tz, struct err *e)
{
	const char *from = from_tz ? "$TZ: " : "";

	if (access(ZONEINFO, F_OK) != 0)
		return err_set(e, ERR_USAGE,
		    "%sno such time zone: '%s'; none are installed here (" ZONEINFO
		    ", often a package named tzdata)",
		    from, zone);
	return err_set(e, ERR_USAGE, "%sno such time zone: '%s' (names are those in " ZONEINFO ")",
	    from, zone);
}

int
clock_zone_set(const char *zone, struct err *e)
{
	bool from_tz = zone == NULL || *zone == '\0';
	const char *name;

	if (from_tz)
		zone = getenv("TZ");
	if (zone == NULL || *zone == '\0')
		zone = "UTC";
	name = zone + (*zone == ':');
	if (strcmp(name, "UTC") == 0)
		zone = "UTC0"; /* works where no zone files are installed */
	else if (*name == '/' ? !is_zone_file(name) : !is_zone_name(name)) {
		if (*zone == ':' || !is_posix_zone(zone))
			return no_such_zone(zone, from_tz, e);
	}
	if (setenv("TZ", zone, 1) != 0)
		return err_sys(e, "set TZ");
	tzset();
	return 0;
}

/* ---- writing ---- */

/* false, and "@SECONDS" in out, for a year that no calendar reaches. */
static bool
split(time_t t, bool utc, struct tm *tm, char *out, size_t size)
{
	if ((utc ? gmtime_r(&t, tm) : localtime_r(&t, tm)) != NULL)
		return true;
	(void)snprintf(out, size, "@%lld", (long long)t);
	return false;
}

void
clock_stamp(time_t t, char out[32])
{
	struct tm tm;

	if (split(t, false, &tm, out, 32))
		(void)strftime(out, 32, "%Y%m%d_%H%M%S", &tm);
}

void
clock_date(time_t t, char out[64])
{
	struct tm tm;

	if (split(t, false, &tm, out, 64))
		(void)strftime(out, 64, "%a %b %e %H:%M:%S %Z %Y", &tm);
}

void
clock_table(time_t t, char out[64])
{
	struct tm tm;

	if (split(t, false, &tm, out, 64))
		(void)strftime(out, 64, "%Y-%m-%d %H:%M:%S %z", &tm);
}

void
clock_rfc3339(time_t t, char out[64])
{
	struct tm tm;

	if (split(t, true, &tm, out, 64))
		(void)strftime(out, 64, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* ---- reading ---- */

/* Exactly n digits at *p, stepping over them; -1 when they are not there. */
static int
take_digits(const char **p, int n)
{
	int value = 0;

	for (; n > 0; n--, (*p)++) {
		if (!is_digit(**p))
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool
take_char(const char **p, const char *any)
{
	if (**p == '\0' || strchr(any, **p) == NULL)
		return false;
	(*p)++;
	return true;
}

static bool
take_date(const char **p, struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d, last;

	if ((y = take_digits(p, 4)) < 0 || !take_char(p, "-") || (m = take_digits(p, 2)) < 0 ||
	    !take_char(p, "-") || (d = take_digits(p, 2)) < 0)
		return false;
	if (m < 1 || m > 12)
		return false;
	last = days[m - 1] + (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0));
	tm->tm_year = y - 1900;
	tm->tm_mon = m - 1;
	tm->tm_mday = d;
	return d >= 1 && d <= last;
}

/* "00:00[:05[.123]]"; *nsec is the last nanosecond that is meant. */
static bool
take_time(const char **p, struct tm *tm, long *nsec)
{
	long unit = 100 * 1000 * 1000;

	*nsec = 999999999;
	if ((tm->tm_hour = take_digits(p, 2)) < 0 || tm->tm_hour > 23 || !take_char(p, ":") ||
	    (tm->tm_min = take_digits(p, 2)) < 0 || tm->tm_min > 59)
		return false;
	tm->tm_sec = 59; /* without seconds: the whole minute */
	if (!take_char(p, ":"))
		return true;
	if ((tm->tm_sec = take_digits(p, 2)) < 0 || tm->tm_sec > 60)
		return false;
	if (!take_char(p, "."))
		return true;
	if (!is_digit(**p))
		return false;
	for (*nsec = 0; is_digit(**p); (*p)++, unit /= 10)
		*nsec += (**p - '0') * unit;
	return true;
}

/* "Z" or "+02:00" in seconds east. */
static bool
take_zone(const char **p, long *east)
{
	bool minus = **p == '-';
	int h, m;

	*east = 0;
	if (take_char(p, "Zz"))
		return true;
	if (!take_char(p, "+-") || (h = take_digits(p, 2)) < 0 || h > 23 || !take_char(p, ":") ||
	    (m = take_digits(p, 2)) < 0 || m > 59)
		return false;
	*east = (h * 3600L + m * 60L) * (minus ? -1 : 1);
	return true;
}

/* How far local time is ahead of UTC at t. */
static long
offset_at(time_t t)
{
	struct tm tm;

	return localtime_r(&t, &tm) != NULL ? tm.tm_gmtoff : 0;
}

/*
 * Local time.  An hour that comes twice means its second coming, since the result
 * is "up to and with"; one that is left out counts on with the offset before the
 * gap.  Not by mktime(3): tm_isdst does not tell the two readings apart where a
 * zone changes its standard time.
 */
static time_t
local(struct tm *tm)
{
	time_t as_utc = timegm(tm);
	/* Offsets are less than a day: one is taken before t, the other after. */
	time_t early = as_utc - offset_at(as_utc - 86400);
	time_t late = as_utc - offset_at(as_utc + 86400);

	if (late + offset_at(late) == as_utc && late > early)
		return late;
	if (early + offset_at(early) == as_utc)
		return early;
	return late + offset_at(late) == as_utc ? late : early;
}

int
clock_parse(const char *s, struct timespec *out, struct err *e)
{
	const char *p = s;
	struct tm tm = {0};
	long nsec = 999999999, east = 0;
	bool has_zone = false;

	if (!take_date(&p, &tm))
		goto bad;
	if (*p == '\0') {
		tm.tm_hour = 23;
		tm.tm_min = tm.tm_sec = 59;
	} else {
		if (!take_char(&p, "Tt ") || !take_time(&p, &tm, &nsec))
			goto bad;
		if (*p != '\0') {
			has_zone = true;
			if (!take_zone(&p, &east) || *p != '\0')
				goto bad;
		}
	}
	out->tv_sec = has_zone ? timegm(&tm) - east : local(&tm);
	out->tv_nsec = nsec;
	return 0;
bad:
	return err_set(e, ERR_USAGE,
	    "not a time: '%s' (write 2026-02-09, 2026-02-09 00:00:05, or "
	    "2026-02-08T22:00:05Z)",
	    s);
}
