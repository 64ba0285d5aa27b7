/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/clock.h"

#include <ctype.h>
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

/* "EET" or "<+03>": behind it, or NULL. */
static const char *
skip_abbreviation(const char *p)
{
	const char *start = p;

	if (*p == '<') {
		for (p++; isalnum((unsigned char)*p) || *p == '+' || *p == '-'; p++)
			;
		return *p == '>' && p - start > 3 ? p + 1 : NULL;
	}
	for (; isalpha((unsigned char)*p); p++)
		;
	return p - start >= 3 ? p : NULL;
}

/* "[+-]h[h][:mm[:ss]]": behind it, or NULL. */
static const char *
skip_offset(const char *p)
{
	int part, digits;

	p += *p == '+' || *p == '-';
	for (part = 0; part < 3; part++) {
		for (digits = 0; isdigit((unsigned char)*p); digits++)
			p++;
		if (digits < 1 || digits > (part == 0 ? 3 : 2))
			return NULL;
		if (*p != ':' || part == 2)
			return p;
		p++;
	}
	return NULL;
}

/* "M3.5.0[/3]", "J60", "59": behind it, or NULL. */
static const char *
skip_rule(const char *p)
{
	int m, w, d, n = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the widths keep numbers small */
	if (sscanf(p, "M%2d.%1d.%1d%n", &m, &w, &d, &n) == 3 && n > 0) {
		if (m < 1 || m > 12 || w < 1 || w > 5 || d < 0 || d > 6)
			return NULL;
		p += n;
	} else {
		p += *p == 'J';
		/* NOLINTNEXTLINE(cert-err34-c): so here */
		if (!isdigit((unsigned char)*p) || sscanf(p, "%3d%n", &d, &n) != 1 || d > 365)
			return NULL;
		p += n;
	}
	return *p == '/' ? skip_offset(p + 1) : p;
}

/* A POSIX TZ string: "EET-2", "EET-2EEST,M3.5.0/3,M10.5.0/4". */
static bool
is_posix_zone(const char *p)
{
	int i;

	if ((p = skip_abbreviation(p)) == NULL || (p = skip_offset(p)) == NULL)
		return false;
	if (*p == '\0')
		return true;
	if ((p = skip_abbreviation(p)) == NULL)
		return false;
	if (*p != ',' && *p != '\0' && (p = skip_offset(p)) == NULL)
		return false;
	if (*p == '\0')
		return true;
	for (i = 0; i < 2; i++)
		if (*p != ',' || (p = skip_rule(p + 1)) == NULL)
			return false;
	return *p == '\0';
}

int
clock_zone_set(const char *zone, struct err *e)
{
	const char *name;

	if (zone == NULL || *zone == '\0')
		zone = getenv("TZ");
	if (zone == NULL || *zone == '\0')
		zone = "UTC";
	name = zone + (*zone == ':');
	if (strcmp(name, "UTC") == 0)
		zone = "UTC0"; /* works where no zone files are installed */
	else if (*name == '/' ? !is_zone_file(name) : !is_zone_name(name)) {
		if (*zone == ':' || !is_posix_zone(zone))
			return err_set(e, ERR_USAGE, "no such time zone: '%s'", zone);
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
		if (!isdigit((unsigned char)**p))
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
	if (!isdigit((unsigned char)**p))
		return false;
	for (*nsec = 0; isdigit((unsigned char)**p); (*p)++, unit /= 10)
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

/*
 * Local time.  An hour that comes twice means its second coming, since the
 * result is "up to and with"; one that is left out is pushed forward by mktime.
 */
static time_t
local(struct tm *tm)
{
	struct tm summer = *tm, winter = *tm;
	time_t a, b, t;

	summer.tm_isdst = 1;
	winter.tm_isdst = 0;
	tm->tm_isdst = -1;
	t = mktime(tm);
	a = mktime(&summer);
	b = mktime(&winter);
	/* Both readings are right only when the hour comes twice. */
	if (summer.tm_isdst == 1 && winter.tm_isdst == 0)
		t = a > b ? a : b;
	return t;
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
